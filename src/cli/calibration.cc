#include "cli/calibration.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <optional>

#include "backends/xnnpack/aot/delegate.h"
#include "cli/engine_choice.h"
#include "emit/program.h"
#include "passes/pass.h"

namespace etalon::cli {
namespace {

using ir::ValueId;
using runtime::Tensor;

// Of values that are kept until the end of a run, so that a large model does not need all of them at once.
constexpr std::int64_t kBytesPerBatch = std::int64_t{256} << 20;

Result<std::vector<std::byte>> program_of(ir::Graph& graph) {
  const auto report = xnnpack::delegate_graph(graph);
  if (!report.ok()) return report.error();
  ETALON_TRY(const emit::Emitted emitted, emit::emit_program({&graph, 1}));
  return formats::pte::encode_to_bytes(emitted.program);
}

// What the wanted values do not need is dropped; state updates stay.
Status set_outputs(ir::Graph& graph, std::span<const ValueId> wanted) {
  std::erase_if(graph.outputs,
                [](const ir::Output& output) { return output.kind == ir::Output::Kind::kUser; });
  for (const ValueId value : wanted) graph.outputs.push_back({ir::Output::Kind::kUser, value, {}});
  for (const passes::Pass* pass : passes::pipeline()) {
    if (pass->name != "remove-dead-code") continue;
    const auto record = passes::run_pass(*pass, graph, false);
    if (!record.ok()) return record.error();
  }
  return {};
}

}  // namespace

struct GraphProbe::State {
  // In the order in which each needs the ones before it.
  std::vector<std::byte> bytes;
  std::optional<runtime::Program> program;
  RunReport report;
  std::optional<Engine> engine;
  runtime::MethodOptions options;
  std::optional<runtime::Method> method;
  std::vector<std::size_t> output_of;        // by wanted value
  std::vector<std::optional<Tensor>> plain;  // copies of outputs that are not in row-major order
};

GraphProbe::GraphProbe(std::unique_ptr<State> state) : state_(std::move(state)) {}
GraphProbe::GraphProbe(GraphProbe&&) noexcept = default;
GraphProbe& GraphProbe::operator=(GraphProbe&&) noexcept = default;
GraphProbe::~GraphProbe() = default;

Result<GraphProbe> GraphProbe::create(const ir::Graph& graph, std::span<const ValueId> wanted, int threads) {
  auto state = std::make_unique<State>();
  std::vector<ValueId> unique;
  for (const ValueId value : wanted) {
    const auto found = std::ranges::find(unique, value);
    state->output_of.push_back(static_cast<std::size_t>(found - unique.begin()));
    if (found == unique.end()) unique.push_back(value);
  }
  state->plain.resize(unique.size());
  ir::Graph copy = graph;
  ETALON_CHECKED(set_outputs(copy, unique));
  ETALON_TRY(state->bytes, program_of(copy));
  ETALON_TRY(runtime::Program program, runtime::Program::from_bytes(state->bytes));
  state->program.emplace(std::move(program));
  ETALON_TRY(Engine engine,
             Engine::choose({.engine = "native", .threads = threads}, state->options, state->report));
  state->engine.emplace(std::move(engine));
  ETALON_TRY(runtime::Method method, runtime::Method::load(*state->program, graph.method, state->options));
  state->method.emplace(std::move(method));
  return GraphProbe(std::move(state));
}

Status GraphProbe::run(std::span<const Tensor> inputs) {
  runtime::Method& method = *state_->method;
  std::size_t next = 0;
  for (std::size_t i = 0; i < method.input_count(); ++i) {
    if (!method.input(i).is(ops::Value::Tag::kTensor)) continue;
    if (next >= inputs.size())
      return invalid_input(fmt::format("{} input tensors, the model takes more", inputs.size()));
    TensorView view = inputs[next++].view();
    ETALON_CHECKED(method.set_input(i, ops::Value::of_tensor(&view)));
  }
  for (auto& copy : state_->plain) copy.reset();
  return method.execute();
}

const Dims& GraphProbe::sizes(std::size_t i) const {
  return state_->method->output(state_->output_of[i]).as_tensor()->sizes();
}

Result<std::span<const float>> GraphProbe::value(std::size_t i) {
  const std::size_t place = state_->output_of[i];
  const TensorView& view = *state_->method->output(place).as_tensor();
  if (view.dtype() != DType::kFloat32)
    return internal_error(fmt::format("a value to observe is {}", name_of(view.dtype())));
  const auto count = static_cast<std::size_t>(view.numel());
  if (view.is_contiguous()) return std::span<const float>(view.data_as<const float>(), count);
  if (!state_->plain[place]) {
    ETALON_TRY(Tensor copy, Tensor::copy_of(view));
    state_->plain[place].emplace(std::move(copy));
  }
  return std::span<const float>(state_->plain[place]->view().data_as<const float>(), count);
}

namespace {

// A value to look at, the group whose range it makes (or kNoGroup), and whether its means are wanted.
struct Tap {
  ValueId value;
  std::uint32_t group = quantize::kNoGroup;
  bool means = false;
};

std::vector<Tap> taps_of(const ir::Graph& graph, const quantize::Plan& plan) {
  std::map<ValueId, Tap> taps;  // in the order of values, which is about that of execution
  for (std::uint32_t g = 0; g < plan.groups.size(); ++g) {
    if (plan.groups[g].fixed) continue;
    for (const ValueId value : plan.groups[g].observed) taps[value] = {value, g, false};
  }
  for (const ValueId value : quantize::values_for_means(graph, plan)) {
    taps.try_emplace(value, Tap{value, quantize::kNoGroup, true}).first->second.means = true;
  }
  std::vector<Tap> out;
  for (const auto& [value, tap] : taps) out.push_back(tap);
  return out;
}

std::vector<std::vector<Tap>> batches_of(const ir::Graph& graph, const quantize::Plan& plan) {
  std::vector<std::vector<Tap>> batches;
  std::int64_t bytes = kBytesPerBatch;
  for (const Tap& tap : taps_of(graph, plan)) {
    const std::int64_t size = graph[tap.value].tensor().nbytes();
    if (bytes + size > kBytesPerBatch) {
      batches.emplace_back();
      bytes = 0;
    }
    bytes += size;
    batches.back().push_back(tap);
  }
  return batches;
}

class Observation {
 public:
  Observation(const quantize::Plan& plan, const quantize::ObserverOptions& options)
      : plan_(plan), observers_(plan.groups.size(), quantize::Observer(options)) {}

  Status look(GraphProbe& probe, std::span<const Tap> taps) {
    for (std::size_t t = 0; t < taps.size(); ++t) {
      ETALON_TRY(const std::span<const float> values, probe.value(t));
      if (taps[t].group != quantize::kNoGroup) observers_[taps[t].group].add(values);
      if (taps[t].means) means_[taps[t].value].add(values, probe.sizes(t));
    }
    return {};
  }

  Result<quantize::Calibration> result(const ir::Graph& graph) const {
    quantize::Calibration out;
    for (std::size_t g = 0; g < plan_.groups.size(); ++g) {
      if (plan_.groups[g].fixed) {
        out.params.push_back(*plan_.groups[g].fixed);
        continue;
      }
      ETALON_TRY(const quantize::Range range, observers_[g].range(), graph[plan_.groups[g].values[0]].name);
      out.params.push_back(quantize::activation_params(range));
    }
    for (const auto& [value, means] : means_) out.means[value] = means.means();
    return out;
  }

 private:
  const quantize::Plan& plan_;
  std::vector<quantize::Observer> observers_;  // by group
  std::map<ValueId, quantize::ChannelMeans> means_;
};

}  // namespace

Result<quantize::Calibration> calibrate(const ir::Graph& graph, const quantize::Plan& plan,
                                        const Samples& samples, const quantize::ObserverOptions& options,
                                        int threads, const ProgressFn& progress) {
  Observation observation(plan, options);
  const auto batches = batches_of(graph, plan);
  std::size_t done = 0;
  for (const std::vector<Tap>& taps : batches) {
    std::vector<ValueId> wanted;
    for (const Tap& tap : taps) wanted.push_back(tap.value);
    ETALON_TRY(GraphProbe probe, GraphProbe::create(graph, wanted, threads), "calibration");
    for (std::size_t s = 0; s < samples.inputs.size(); ++s) {
      ETALON_CHECKED(probe.run(samples.inputs[s]), fmt::format("calibration sample {}", s));
      ETALON_CHECKED(observation.look(probe, taps));
      if (progress) progress("calibrating", ++done, batches.size() * samples.inputs.size());
    }
  }
  return observation.result(graph);
}

}  // namespace etalon::cli
