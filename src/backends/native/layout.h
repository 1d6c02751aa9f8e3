// How a value lies in memory, and questions about it.
#pragma once

#include <cstdint>
#include <optional>

#include "backends/native/operation.h"
#include "tensor/dims.h"

namespace etalon::native {

// Element (i, j, ..) is at `at` plus the sum of index times stride, in elements.
struct Placement {
  Operand at;
  Dims strides;
};

// Row-major without gaps. Strides of dims of size one do not count, here and below.
bool is_contiguous(const Dims& dims, const Dims& strides);
// Some order of the dims is row-major without gaps.
bool is_dense(const Dims& dims, const Dims& strides);

// Distance between rows of the innermost dim, if its elements are adjacent and all rows are equally far apart
// in row-major order: what kernels call a pixel stride.
std::optional<std::int64_t> row_stride(const Dims& dims, const Dims& strides);

// Strides of the same elements seen with other dims (of the same number of elements), if a view can show
// them.
std::optional<Dims> reshaped_strides(const Dims& dims, const Dims& strides, const Dims& new_dims);

}  // namespace etalon::native
