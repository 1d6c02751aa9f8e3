#include "cli/quantiser.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "cli/quant_accuracy.h"
#include "quantize/rewrite.h"
#include "quantize/weights.h"

namespace etalon::cli {
namespace {

double milliseconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

quantize::Options options_of(const QuantiseRequest& request) {
  return {.dynamic = request.scheme == "dynamic",
          .per_channel = request.granularity == "channel",
          .selection = request.selection};
}

void describe(const QuantiseRequest& request, const quantize::Plan& plan, QuantiseOutcome& outcome) {
  outcome.scheme = request.scheme;
  outcome.granularity = request.granularity;
  if (!plan.dynamic) outcome.observer = request.observer;
  outcome.in_int8 = plan.quantised_count();
  for (std::size_t s = 0; s < plan.sites.size(); ++s) {
    if (!plan.is_quantised(s))
      outcome.left_in_float.push_back(
          {plan.sites[s].name, std::string(plan.sites[s].kind), plan.float_why[s]});
  }
}

Result<Samples> samples_of(const ir::Graph& graph, const QuantiseRequest& request) {
  DataRequest data = request.data;
  if (data.sources.empty()) {
    if (request.scheme == "static") {
      return invalid_input(
          "static int8 needs calibration data: --calib with an .npy file, a folder of .npy files or of "
          "images, or --calib random "
          "(the ranges then fit random data only); --quant dynamic needs none");
    }
    data.sources = {"random"};
  }
  return load_samples(graph, data);
}

Status check_images(const ImagePreprocessing& images) {
  if (images.resize < 0)
    return invalid_input(fmt::format("--image-resize is {}, want a number of pixels", images.resize));
  for (const float mean : images.mean) {
    if (!std::isfinite(mean))
      return invalid_input(fmt::format("--image-mean has {}, want finite numbers", mean));
  }
  for (const float deviation : images.deviation) {
    if (!(deviation > 0) || !std::isfinite(deviation))
      return invalid_input(fmt::format("--image-std has {}, want numbers above 0", deviation));
  }
  return {};
}

}  // namespace

Status check_quantise_request(const QuantiseRequest& request) {
  if (request.scheme != "static" && request.scheme != "dynamic") {
    return invalid_input(fmt::format("--quant is '{}', want static or dynamic", request.scheme));
  }
  if (request.granularity != "channel" && request.granularity != "tensor") {
    return invalid_input(
        fmt::format("--granularity is '{}', want channel or tensor (groups and 4 bits are not supported)",
                    request.granularity));
  }
  if (!quantize::observer_from_name(request.observer)) {
    return invalid_input(
        fmt::format("--observer is '{}', want minmax, moving-average, percentile or mse", request.observer));
  }
  if (!(request.percentile > 50 && request.percentile <= 100)) {
    return invalid_input(
        fmt::format("--percentile is {}, want more than 50 and at most 100", request.percentile));
  }
  if (request.data.max_samples == 0) return invalid_input("--calib-samples is 0, want at least 1");
  return check_images(request.data.images);
}

Result<QuantiseOutcome> quantise_graph(ir::Graph& graph, const QuantiseRequest& request,
                                       const ProgressFn& progress) {
  ETALON_CHECKED(check_quantise_request(request));
  QuantiseOutcome outcome;
  ETALON_TRY(const quantize::Plan plan, quantize::make_plan(graph, options_of(request)));
  ETALON_CHECKED(quantize::check_weights_are_finite(graph));
  describe(request, plan, outcome);
  ETALON_TRY(const Samples samples, samples_of(graph, request));
  outcome.data = samples.description;
  outcome.random_data = samples.is_random;
  outcome.samples_available = samples.available;
  outcome.samples_used = samples.inputs.size();

  auto start = std::chrono::steady_clock::now();
  quantize::Calibration calibration;
  if (!plan.dynamic) {
    const quantize::ObserverOptions observer{.kind = *quantize::observer_from_name(request.observer),
                                             .percentile = request.percentile};
    ETALON_TRY(calibration, calibrate(graph, plan, samples, observer, request.threads, progress));
    if (!request.bias_correction) calibration.means.clear();
  }
  outcome.calibration_ms = milliseconds_since(start);

  start = std::chrono::steady_clock::now();
  if (request.assess)
    ETALON_CHECKED(judge({graph, plan, calibration, request.threads}, samples, request, progress, outcome));
  outcome.accuracy_ms = milliseconds_since(start);

  ETALON_TRY(const quantize::Readings readings, quantize::quantise(graph, plan, calibration));
  (void)readings;
  graph.compact();
  return outcome;
}

}  // namespace etalon::cli
