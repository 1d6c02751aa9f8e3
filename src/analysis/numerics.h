// How far the outputs of one model are from those of another, on the same input. Pure functions, thread-safe.
#pragma once

#include <span>
#include <string>

#include "analysis/comparison.h"
#include "base/result.h"

namespace etalon::analysis {

// Values in the same order. The signal is the baseline. A value that is not finite on one side only makes max_abs and
// relative_to_peak infinite and the ratio in dB minus infinity. Errors (kInvalidInput): different numbers of values.
Result<OutputDifference> compare_outputs(std::string output, std::span<const float> baseline,
                                         std::span<const float> candidate);

}  // namespace etalon::analysis
