// Outputs of two models on the same input, held against each other. Pure functions, thread-safe.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "analysis/comparison.h"
#include "base/result.h"

namespace etalon::analysis {

// Values in row-major order; `row` is the length of a row of class scores, 0: these are none, and no top-1 is
// compared. Values that are equal, also both NaN or the same infinity, do not differ; any other value that is
// not finite makes the difference infinite (snr_db -infinity, cosine 0). Errors (kInvalidInput): different
// numbers of values.
Result<OutputDifference> compare_outputs(std::string_view output, std::span<const float> baseline,
                                         std::span<const float> candidate, std::size_t row = 0);

// The length of a row of class scores: the last size of a tensor with sizes [n] or [batch, n], n of 2 and
// more; 0 for anything else (an image has no best class).
std::size_t class_row(std::span<const std::size_t> sizes);

}  // namespace etalon::analysis
