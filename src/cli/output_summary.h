// One output in one line: its type and the range of its values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "tensor/tensor.h"

namespace etalon::cli {

struct OutputSummary {
  std::size_t index = 0;
  std::string dtype;
  std::vector<std::int64_t> sizes;
  double min = 0, mean = 0, max = 0;  // zeros for a tensor without elements
  std::size_t not_finite = 0;
};

Result<OutputSummary> summarize_output(std::size_t index, const TensorView& view);

// "output 0: float32 [1, 1000]  min -0.31  mean 0.02  max 1.24"
std::string describe(const OutputSummary& output);

}  // namespace etalon::cli
