#include "cli/compare/outputs.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "analysis/numerics.h"

namespace etalon::cli {
namespace {

std::string sizes_text(const std::vector<std::vector<std::size_t>>& inputs) {
  std::string text;
  for (const auto& sizes : inputs)
    text += fmt::format("{}[{}]", text.empty() ? "" : ", ", fmt::join(sizes, ", "));
  return text.empty() ? "none" : text;
}

}  // namespace

std::vector<ArmOutputs> outputs_of(const std::vector<ComparedArm>& arms) {
  std::vector<ArmOutputs> all;
  for (const ComparedArm& arm : arms) {
    ArmOutputs outputs;
    if (arm.request.engine == "executorch") {
      outputs.why_not = "the executorch engine runs in a process of its own";
    } else {
      OutputsRequest request;
      request.model = arm.request.model;
      request.engine = arm.request.engine;
      request.isa = arm.request.isa;
      request.math = arm.request.math;
      request.threads = static_cast<int>(arm.request.threads);
      request.inputs = arm.request.inputs;
      auto run = run_model_once(request);
      if (run.ok())
        outputs.run = std::move(run).value();
      else
        outputs.why_not = run.error().message();
    }
    all.push_back(std::move(outputs));
  }
  return all;
}

void compare_outputs_of(const ArmOutputs& baseline, const ArmOutputs& candidate,
                        analysis::Comparison& comparison) {
  const auto note = [&](const std::string& why) {
    comparison.notes.push_back("outputs are not compared: " + why);
  };
  if (!baseline.run) return note(comparison.baseline + ": " + baseline.why_not);
  if (!candidate.run) return note(comparison.candidate + ": " + candidate.why_not);
  if (baseline.run->inputs != candidate.run->inputs) {
    return note(fmt::format("inputs differ, {} against {}", sizes_text(baseline.run->inputs),
                            sizes_text(candidate.run->inputs)));
  }
  if (baseline.run->outputs.size() != candidate.run->outputs.size()) {
    return note(
        fmt::format("{} outputs against {}", baseline.run->outputs.size(), candidate.run->outputs.size()));
  }
  for (std::size_t i = 0; i < baseline.run->outputs.size(); ++i) {
    const ModelOutput& before = baseline.run->outputs[i];
    const ModelOutput& after = candidate.run->outputs[i];
    auto difference = analysis::compare_outputs(fmt::format("{}", i), before.values, after.values,
                                                analysis::class_row(before.sizes));
    if (difference.ok())
      comparison.outputs.push_back(std::move(difference).value());
    else
      note(difference.error().message());
  }
}

}  // namespace etalon::cli
