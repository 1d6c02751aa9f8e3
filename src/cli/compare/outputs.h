// What the runs of a comparison compute, held against each other.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "analysis/comparison.h"
#include "cli/compare/compared_arm.h"
#include "cli/model_outputs.h"

namespace etalon::cli {

struct ArmOutputs {
  std::optional<ModelRun> run;
  std::string why_not;  // there is none
};

// One run of each, on the same drawn inputs (or the files of the request), in this process.
std::vector<ArmOutputs> outputs_of(const std::vector<ComparedArm>& arms);

// Fills comparison.outputs, or notes why outputs are not compared.
void compare_outputs_of(const ArmOutputs& baseline, const ArmOutputs& candidate,
                        analysis::Comparison& comparison);

}  // namespace etalon::cli
