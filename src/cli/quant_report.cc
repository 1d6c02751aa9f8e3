#include "cli/quant_report.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <map>

#include "base/file.h"

namespace etalon::cli {
namespace {

template <std::size_t kCount>
void add_triple(CLI::App& app, const std::string& flag, std::array<float, kCount>& values, bool& stated,
                const std::string& help) {
  app.add_option_function<std::vector<float>>(
         flag,
         [&values, &stated](const std::vector<float>& given) {
           for (std::size_t i = 0; i < kCount; ++i) values[i] = given[given.size() == 1 ? 0 : i];
           stated = true;
         },
         help)
      ->delimiter(',')
      ->expected(1, static_cast<int>(kCount));
}

std::string decibels(const std::optional<double>& snr) {
  if (!snr) return "no signal";
  return std::isinf(*snr) ? "no error" : fmt::format("{:.1f} dB", *snr);
}

// "no error" is null, as it is in JSON's numbers.
nlohmann::ordered_json number(const std::optional<double>& value) {
  return value && std::isfinite(*value) ? nlohmann::ordered_json(*value) : nlohmann::ordered_json(nullptr);
}

void print_left(const Console& console, const QuantiseOutcome& outcome) {
  std::map<std::pair<std::string, std::string>, std::vector<std::string>> groups;
  for (const LeftInFloat& left : outcome.left_in_float) groups[{left.kind, left.why}].push_back(left.name);
  if (!groups.empty()) console.print("in float:\n");
  for (const auto& [key, names] : groups) {
    console.print(fmt::format("  {:4} x {}, first {}: {}\n", names.size(), key.first, names[0], key.second));
  }
}

void print_layers(const Console& console, const QuantiseOutcome& outcome) {
  console.print("int8 layers                               kind               SNR     cosine  max error\n");
  for (const LayerCloseness& layer : outcome.layers) {
    console.print(fmt::format("  {:38}  {:14} {:>9}  {:9.6f}  {:9.3g}\n", layer.name, layer.kind,
                              decibels(layer.snr_db), layer.cosine.value_or(0), layer.max_error));
  }
  constexpr std::size_t kShown = 10;
  if (outcome.gains.empty()) return;
  console.print("left in float, one layer alone would change the SNR of the first output by\n");
  for (std::size_t i = 0; i < std::min(kShown, outcome.gains.size()); ++i) {
    console.print(fmt::format("  {:+6.1f} dB  {} ({})\n", outcome.gains[i].gain_db, outcome.gains[i].name,
                              outcome.gains[i].kind));
  }
  console.print(fmt::format("  (--quant-skip ={} leaves the first one in float)\n", outcome.gains[0].name));
  if (outcome.gains_left_out > 0)
    console.print(
        fmt::format("  ({} more layers, with smaller errors at their own results, were not tried)\n",
                    outcome.gains_left_out));
}

void print_top1(const Console& console, const Top1& top1) {
  const double samples = static_cast<double>(top1.samples);
  console.print(fmt::format("  classes {} of {} as in float", top1.agreeing, top1.samples));
  if (top1.float_right && top1.int8_right && top1.samples > 0) {
    console.print(fmt::format("; right {:.2f} % in float, {:.2f} % in int8",
                              100.0 * static_cast<double>(*top1.float_right) / samples,
                              100.0 * static_cast<double>(*top1.int8_right) / samples));
  }
  console.print("\n");
}

nlohmann::ordered_json closeness_json(const Closeness& row) {
  return {{"name", row.name},
          {"snr_db", number(row.snr_db)},
          {"cosine", number(row.cosine)},
          {"max_error", number(row.max_error)}};
}

// The model's row of zoo.json, if it is a built-in model that says how its images are prepared.
Status use_zoo_preprocessing(const std::string& model, ImagePreprocessing& images) {
  if (!model.starts_with("zoo:")) return {};
  ETALON_TRY(const std::string folder, zoo_folder());
  ETALON_TRY(const std::string text, read_text_file(folder + "/zoo.json"));
  const auto index = nlohmann::json::parse(text, nullptr, false);
  if (!index.is_object() || !index.contains("models") || !index["models"].is_array()) return {};
  for (const auto& row : index["models"]) {
    if (!row.is_object() || row.value("name", std::string()) != model_stem(model) ||
        !row.contains("preprocessing"))
      continue;
    const auto& stored = row["preprocessing"];
    const auto mean = stored.value("mean", std::vector<float>()),
               deviation = stored.value("std", std::vector<float>());
    if (mean.size() == 3) std::ranges::copy(mean, images.mean.begin());
    if (deviation.size() == 3) std::ranges::copy(deviation, images.deviation.begin());
    if (images.resize == 0) images.resize = stored.value("resize", 0);
    images.stated = true;
  }
  return {};
}

}  // namespace

void declare_data_flags(CLI::App& group, QuantiseRequest& request) {
  group.add_option(
      "--calib", request.data.sources,
      "An .npy file, a folder of .npy files or of images (one --calib per input, in order), or random");
  group.add_option("--calib-samples", request.data.max_samples, "Use at most so many samples")
      ->capture_default_str();
  add_triple(group, "--image-mean", request.data.images.mean, request.data.images.stated,
             "Of red,green,blue in 0..1 (the zoo model's, else ImageNet's)");
  add_triple(group, "--image-std", request.data.images.deviation, request.data.images.stated,
             "Standard deviations, likewise");
  group.add_option("--image-resize", request.data.images.resize,
                   "Shorter side before the centre is cut out (8/7 of the input's)");
  group.add_option("--judge,--eval", request.judge,
                   "Data to judge accuracy on, as --calib (up to 16 calibration samples)");
  group.add_option("--labels", request.labels, "An .npy of int64 classes, one per judged sample");
}

void declare_quantise_flags(CLI::App& app, QuantiseRequest& request) {
  constexpr const char* kGroup = "int8";
  CLI::App& group = *app.add_option_group(kGroup);
  group.add_option("--quant", request.scheme, "static (calibrated) or dynamic (activations while running)")
      ->capture_default_str();
  group
      .add_option("--granularity", request.granularity,
                  "Scales of weights: per output channel, or one per tensor")
      ->capture_default_str();
  group
      .add_option("--observer", request.observer,
                  "Ranges of activations: mse, minmax, moving-average or percentile")
      ->capture_default_str();
  group
      .add_option("--percentile", request.percentile,
                  "Share of values inside the range of --observer percentile")
      ->capture_default_str();
  group.add_flag("!--no-bias-correction", request.bias_correction,
                 "Leave biases as they are instead of making up for rounded weights");
  group.add_option("--quant-skip", request.selection.skip,
                   "Leave these in float: kinds (conv), names of results or modules; * is any text");
  group.add_option("--quant-only", request.selection.only, "Quantise these alone");
  declare_data_flags(group, request);
}

Status settle_quantise_flags(ExportRequest& request) {
  if (request.dtype != "int8") {
    if (request.quantise.data.sources.empty() && request.quantise.selection.skip.empty() &&
        request.quantise.selection.only.empty())
      return {};
    return invalid_input(fmt::format(
        "--calib, --quant-skip and --quant-only need --dtype int8, found --dtype {}", request.dtype));
  }
  return settle_data_flags(request.model, request.quantise);
}

Status settle_data_flags(const std::string& model, QuantiseRequest& request) {
  return request.data.images.stated ? Status{} : use_zoo_preprocessing(model, request.data.images);
}

void print_quantisation(const Console& console, const QuantiseOutcome& outcome, bool explain) {
  console.print(fmt::format("  int8    {}, weights per {}{}; {} operators in int8, {} more could be\n",
                            outcome.scheme, outcome.granularity,
                            outcome.observer.empty() ? "" : ", ranges by " + outcome.observer,
                            outcome.in_int8, outcome.left_in_float.size()));
  if (outcome.scheme == "static") {
    console.print(fmt::format("  ranges  from {}{}\n", outcome.data,
                              outcome.samples_available > outcome.samples_used
                                  ? fmt::format(" (of {}; --calib-samples)", outcome.samples_available)
                                  : ""));
  }
  if (outcome.random_data)
    console.warn("ranges or accuracies come from random data, which no real input looks like; give --calib");
  if (!outcome.judged_on.empty())
    console.print(fmt::format("accuracy against float on {}\n", outcome.judged_on));
  for (const Closeness& row : outcome.outputs) {
    console.print(fmt::format("  output {}: SNR {}, cosine {:.6f}, max error {:.3g}\n", row.name,
                              decibels(row.snr_db), row.cosine.value_or(0), row.max_error));
  }
  if (outcome.top1) print_top1(console, *outcome.top1);
  if (!explain) return;
  print_left(console, outcome);
  print_layers(console, outcome);
}

nlohmann::ordered_json quantisation_json(const QuantiseOutcome& outcome) {
  using Json = nlohmann::ordered_json;
  Json outputs = Json::array(), layers = Json::array(), left = Json::array(), gains = Json::array();
  for (const Closeness& row : outcome.outputs) outputs.push_back(closeness_json(row));
  for (const LayerCloseness& row : outcome.layers) {
    layers.push_back(closeness_json(row));
    layers.back()["kind"] = row.kind;
  }
  for (const LeftInFloat& row : outcome.left_in_float)
    left.push_back({{"name", row.name}, {"kind", row.kind}, {"why", row.why}});
  for (const LayerGain& row : outcome.gains)
    gains.push_back(
        {{"name", row.name}, {"kind", row.kind}, {"gain_db", number(row.gain_db)}, {"follow", row.follow}});
  Json json = {{"scheme", outcome.scheme},
               {"granularity", outcome.granularity},
               {"observer", outcome.observer},
               {"data", outcome.data},
               {"random_data", outcome.random_data},
               {"samples", outcome.samples_used},
               {"in_int8", outcome.in_int8},
               {"in_float", left},
               {"judged_on", outcome.judged_on},
               {"outputs", outputs},
               {"layers", layers},
               {"calibration_ms", outcome.calibration_ms},
               {"accuracy_ms", outcome.accuracy_ms}};
  if (!outcome.gains.empty()) json["gains"] = gains;
  if (outcome.top1) {
    Json top1 = {{"samples", outcome.top1->samples}, {"agreeing", outcome.top1->agreeing}};
    if (outcome.top1->float_right) top1["float_right"] = *outcome.top1->float_right;
    if (outcome.top1->int8_right) top1["int8_right"] = *outcome.top1->int8_right;
    json["top1"] = top1;
  }
  return json;
}

}  // namespace etalon::cli
