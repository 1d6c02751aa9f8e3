#include "cli/quant_accuracy.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <thread>

#include "ir/frame.h"
#include "quantize/agreement.h"
#include "quantize/rewrite.h"

namespace etalon::cli {
namespace {

using ir::ValueId;
using quantize::Agreement;
using runtime::Tensor;

constexpr std::size_t kJudged = 16;  // samples for the report
// Samples for the gain of each layer, which takes a run per layer: as many as this much arithmetic allows.
constexpr std::size_t kFewestExplained = 2, kMostExplained = 128;
constexpr double kExplainedFlops = 4e11;
constexpr double kMostExplainedFlops = 2e12;  // what the fewest samples may take; fewer layers are tried then
constexpr std::size_t kLayersExplained = 64, kFewestLayersExplained = 8;

// The float outputs of a graph that the user sees.
std::vector<ValueId> float_outputs(const ir::Graph& graph) {
  std::vector<ValueId> out;
  for (const ir::Output& output : graph.outputs) {
    const auto* id = std::get_if<ValueId>(&output.value);
    if (output.kind != ir::Output::Kind::kUser || id == nullptr || !graph[*id].is_tensor()) continue;
    if (graph[*id].tensor().dtype == DType::kFloat32 && graph[*id].source == ir::ValueSource::kNode)
      out.push_back(*id);
  }
  return out;
}

// The int8 model as a graph that runs at the speed of the float one, and where to look for a value of the
// float graph.
struct Rounded {
  ir::Graph graph;
  quantize::Readings readings;

  ValueId reading_of(ValueId id) const {
    const auto found = readings.find(id);
    return found == readings.end() ? id : found->second;
  }
  std::vector<ValueId> readings_of(std::span<const ValueId> values) const {
    std::vector<ValueId> out;
    for (const ValueId value : values) out.push_back(reading_of(value));
    return out;
  }
};

Result<Rounded> rounded(const ir::Graph& graph, const quantize::Plan& plan,
                        const quantize::Calibration& calibration) {
  Rounded out{graph, {}};
  ETALON_TRY(out.readings, quantize::quantise(out.graph, plan, calibration, quantize::WeightForm::kRounded));
  return out;
}

Closeness closeness(const std::string& name, const Agreement& agreement) {
  return {name, agreement.snr_db(), agreement.cosine(), agreement.max_error()};
}

// Rows of scores: [N, classes] with more than one class.
bool is_scores(const ir::Graph& graph, std::span<const ValueId> outputs) {
  if (outputs.empty()) return false;
  const Dims& sizes = graph[outputs[0]].tensor().sizes;
  return sizes.size() == 2 && sizes[1] > 1;
}

void count_rows(std::span<const float> reference, std::span<const float> actual, std::size_t classes,
                std::span<const std::int64_t> labels, Top1& top1) {
  for (std::size_t row = 0; row + classes <= reference.size(); row += classes) {
    const std::size_t wanted = quantize::top1(reference.subspan(row, classes));
    const std::size_t found = quantize::top1(actual.subspan(row, classes));
    top1.agreeing += wanted == found ? 1 : 0;
    if (top1.samples < labels.size()) {
      const auto label = static_cast<std::size_t>(labels[top1.samples]);
      *top1.float_right += wanted == label ? 1 : 0;
      *top1.int8_right += found == label ? 1 : 0;
    }
    ++top1.samples;
  }
}

// One per judged sample, each of which is one row of scores.
Result<std::vector<std::int64_t>> read_labels(const std::string& path, std::size_t samples, std::size_t rows,
                                              std::size_t classes) {
  if (path.empty()) return std::vector<std::int64_t>{};
  ETALON_TRY(std::vector<std::int64_t> labels, load_classes(path));
  ETALON_CHECKED(check_classes(labels, samples * rows, classes), path);
  return labels;
}

struct Judged {
  const Samples* samples = nullptr;
  std::size_t count = 0;
  std::vector<std::int64_t> labels;
};

// The two models side by side: each uses one core.
Status run_both(GraphProbe& a, GraphProbe& b, std::span<const Tensor> inputs) {
  Status second;
  std::thread other([&] { second = b.run(inputs); });
  Status first = a.run(inputs);
  other.join();
  return first.ok() ? second : first;
}

// Runs both models on the samples and adds up what every wanted value has in common.
Status compare_values(const Candidate& candidate, std::span<const ValueId> wanted, const Judged& judged,
                      const ProgressFn& progress, std::vector<Agreement>& agreements, Top1* top1) {
  ETALON_TRY(const Rounded int8, rounded(candidate.graph, candidate.plan, candidate.calibration));
  ETALON_TRY(GraphProbe reference, GraphProbe::create(candidate.graph, wanted, candidate.threads),
             "the float model");
  ETALON_TRY(GraphProbe actual, GraphProbe::create(int8.graph, int8.readings_of(wanted), candidate.threads),
             "the int8 model");
  agreements.assign(wanted.size(), {});
  for (std::size_t s = 0; s < judged.count; ++s) {
    ETALON_CHECKED(run_both(reference, actual, judged.samples->inputs[s]));
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      ETALON_TRY(const auto a, reference.value(i));
      ETALON_TRY(const auto b, actual.value(i));
      agreements[i].add(a, b);
      const bool scores = i == 0 && top1 != nullptr;
      if (scores)
        count_rows(a, b, static_cast<std::size_t>(candidate.graph[wanted[0]].tensor().sizes[1]),
                   judged.labels, *top1);
    }
    if (progress) progress("judging", s + 1, judged.count);
  }
  return {};
}

// The same in parts whose values fit into memory together; the outputs, which come first, are in the first
// one.
Status compare_in_parts(const Candidate& candidate, std::span<const ValueId> wanted, const Judged& judged,
                        const ProgressFn& progress, std::vector<Agreement>& agreements, Top1* top1) {
  constexpr std::int64_t kBytes = std::int64_t{256} << 20;
  for (std::size_t first = 0; first < wanted.size();) {
    std::size_t last = first;
    std::int64_t bytes = 0;
    while (last < wanted.size() &&
           (last == first || bytes + candidate.graph[wanted[last]].tensor().nbytes() <= kBytes)) {
      bytes += candidate.graph[wanted[last++]].tensor().nbytes();
    }
    std::vector<Agreement> part;
    ETALON_CHECKED(compare_values(candidate, wanted.subspan(first, last - first), judged, progress, part,
                                  first == 0 ? top1 : nullptr));
    agreements.insert(agreements.end(), part.begin(), part.end());
    first = last;
  }
  return {};
}

// What the float model gives at one output, by sample: it is the same whatever is left in float.
using Expected = std::vector<std::vector<float>>;

Result<Expected> expected_of(const Candidate& candidate, ValueId output, const Judged& judged) {
  ETALON_TRY(GraphProbe probe, GraphProbe::create(candidate.graph, {&output, 1}, candidate.threads),
             "the float model");
  Expected expected;
  for (std::size_t s = 0; s < judged.count; ++s) {
    ETALON_CHECKED(probe.run(judged.samples->inputs[s]));
    ETALON_TRY(const auto values, probe.value(0));
    expected.emplace_back(values.begin(), values.end());
  }
  return expected;
}

// SNR of the first output of another plan for the same graph.
Result<double> snr_of(const Candidate& candidate, ValueId output, const Judged& judged,
                      const Expected& expected) {
  ETALON_TRY(const Rounded int8, rounded(candidate.graph, candidate.plan, candidate.calibration));
  const ValueId reading = int8.reading_of(output);
  ETALON_TRY(GraphProbe probe, GraphProbe::create(int8.graph, {&reading, 1}, candidate.threads),
             "the int8 model");
  Agreement agreement;
  for (std::size_t s = 0; s < judged.count; ++s) {
    ETALON_CHECKED(probe.run(judged.samples->inputs[s]));
    ETALON_TRY(const auto values, probe.value(0));
    agreement.add(expected[s], values);
  }
  return agreement.snr_db().value_or(std::numeric_limits<double>::infinity());
}

std::vector<std::string> value_names(const ir::Graph& graph, const quantize::Site& site) {
  std::vector<std::string> names;
  for (const ir::NodeId node : site.nodes) {
    for (const ValueId out : graph.nodes[ir::index_of(node)].outs) names.push_back(graph[out].name);
  }
  return names;
}

// The layers that `without` leaves in float besides `site`.
std::vector<std::string> followers(const quantize::Plan& plan, const quantize::Plan& without,
                                   std::size_t site) {
  std::vector<std::string> names;
  for (std::size_t s = 0; s < plan.sites.size(); ++s) {
    if (s != site && plan.is_quantised(s) && !without.is_quantised(s)) names.push_back(plan.sites[s].name);
  }
  return names;
}

double flops_of(const ir::Graph& graph) {
  double flops = 1;
  for (const ir::Node& node : graph.nodes) flops += static_cast<double>(ir::cost_of(graph, node).flops);
  return flops;
}

std::size_t whole_within(double value, std::size_t low, std::size_t high) {
  return static_cast<std::size_t>(std::clamp(value, static_cast<double>(low), static_cast<double>(high)));
}

std::size_t most_layers_to_explain(const ir::Graph& graph) {
  const double runs = kMostExplainedFlops / flops_of(graph);
  return whole_within(runs / static_cast<double>(kFewestExplained), kFewestLayersExplained, kLayersExplained);
}

std::size_t samples_to_explain(const ir::Graph& graph, std::size_t layers) {
  const double runs = kExplainedFlops / flops_of(graph);
  return whole_within(runs / static_cast<double>(std::max<std::size_t>(layers, 1)), kFewestExplained,
                      kMostExplained);
}

// The weighted layers on int8, those with the largest error at their own result first; at most `most`, and
// how many there are besides.
std::vector<std::size_t> layers_to_explain(const quantize::Plan& plan,
                                           const std::vector<LayerCloseness>& layers, std::size_t most,
                                           std::size_t& left_out) {
  std::vector<std::pair<double, std::size_t>> order;
  std::size_t layer = 0;
  for (std::size_t s = 0; s < plan.sites.size(); ++s) {
    if (!plan.is_quantised(s)) continue;
    const LayerCloseness& row = layers[layer++];
    if (plan.sites[s].weight != ir::kNoValue) order.emplace_back(row.snr_db.value_or(1e9), s);
  }
  std::ranges::sort(order);
  left_out = order.size() - std::min(order.size(), most);
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < std::min(order.size(), most); ++i) out.push_back(order[i].second);
  return out;
}

Status explain_layers(const Candidate& candidate, ValueId output, Judged judged, const ProgressFn& progress,
                      QuantiseOutcome& outcome) {
  const std::vector<std::size_t> layers = layers_to_explain(
      candidate.plan, outcome.layers, most_layers_to_explain(candidate.graph), outcome.gains_left_out);
  judged.count = std::min(judged.count, samples_to_explain(candidate.graph, layers.size()));
  ETALON_TRY(const Expected expected, expected_of(candidate, output, judged));
  ETALON_TRY(const double all, snr_of(candidate, output, judged, expected));
  std::size_t done = 0;
  for (const std::size_t s : layers) {
    const quantize::Plan without = quantize::without_site(candidate.graph, candidate.plan, s);
    const quantize::Calibration calibration{
        quantize::params_for(without, candidate.plan, candidate.calibration.params),
        candidate.calibration.means};
    const quantize::Site& site = candidate.plan.sites[s];
    if (without.quantised_count() > 0) {
      ETALON_TRY(const double snr, snr_of({candidate.graph, without, calibration, candidate.threads}, output,
                                          judged, expected));
      outcome.gains.push_back({site.name, std::string(site.kind), snr == all ? 0 : snr - all,
                               followers(candidate.plan, without, s)});
    }
    if (progress) progress("explaining", ++done, layers.size());
  }
  std::ranges::stable_sort(outcome.gains, std::ranges::greater{}, &LayerGain::gain_db);
  return {};
}

}  // namespace

Status judge(const Candidate& candidate, const Samples& calibration, const QuantiseRequest& request,
             const ProgressFn& progress, QuantiseOutcome& outcome) {
  const std::vector<ValueId> outputs = float_outputs(candidate.graph);
  if (outputs.empty()) return {};
  Samples others;
  Judged judged{&calibration, calibration.inputs.size(), {}};
  if (!request.judge.empty()) {
    DataRequest data = request.data;
    data.sources = request.judge;
    data.max_samples = std::numeric_limits<std::size_t>::max();
    ETALON_TRY(others, load_samples(candidate.graph, data));
    judged = {&others, others.inputs.size(), {}};
  } else if (request.labels.empty()) {
    judged.count = std::min(judged.count, kJudged);
  }
  const bool scores = is_scores(candidate.graph, outputs);
  const ir::TensorType& first = candidate.graph[outputs[0]].tensor();
  const bool fixed_rows = scores && !first.is_dynamic(0);
  ETALON_TRY(judged.labels, read_labels(request.labels, judged.count,
                                        fixed_rows ? static_cast<std::size_t>(first.sizes[0]) : 1,
                                        scores ? static_cast<std::size_t>(first.sizes[1]) : 0));
  outcome.judged_on = fmt::format("{} of {}", judged.count, judged.samples->description);

  std::vector<ValueId> wanted = outputs;
  std::vector<std::size_t> sites;
  for (std::size_t s = 0; s < candidate.plan.sites.size(); ++s) {
    if (!candidate.plan.is_quantised(s)) continue;
    sites.push_back(s);
    wanted.push_back(candidate.plan.sites[s].outputs[0]);
  }
  Top1 top1;
  if (!judged.labels.empty()) top1.float_right = top1.int8_right = 0;
  std::vector<Agreement> agreements;
  ETALON_CHECKED(compare_in_parts(candidate, wanted, judged, progress, agreements, scores ? &top1 : nullptr));
  for (std::size_t i = 0; i < outputs.size(); ++i)
    outcome.outputs.push_back(closeness(candidate.graph[outputs[i]].name, agreements[i]));
  for (std::size_t i = 0; i < sites.size(); ++i) {
    const quantize::Site& site = candidate.plan.sites[sites[i]];
    outcome.layers.push_back({closeness(site.name, agreements[outputs.size() + i]), std::string(site.kind),
                              value_names(candidate.graph, site)});
  }
  if (scores) outcome.top1 = top1;
  return request.explain ? explain_layers(candidate, outputs[0], judged, progress, outcome) : Status{};
}

}  // namespace etalon::cli
