// What two programs of one model compute inside, value by value: where an int8 program leaves the float one.
#pragma once

#include <string>
#include <vector>

#include "analysis/comparison.h"
#include "cli/compare/compared_arm.h"

namespace etalon::cli {

// Fills comparison.layers from runs of both programs on the same inputs with the values they have in common
// as outputs, and the SNR of the comparison's operators; or notes why not: no .etrecord beside a program, the
// executorch engine, programs of different models. `candidate_profile` is what the comparison's operators
// count in; may be null. Files are written to `folder` for the time of the runs.
void compare_layers_of(const ComparedArm& baseline, const ComparedArm& candidate,
                       const analysis::Profile* candidate_profile, const std::string& folder,
                       analysis::Comparison& comparison);

}  // namespace etalon::cli
