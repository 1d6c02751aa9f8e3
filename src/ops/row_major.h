// Walking a strided tensor in row-major order of its indices, whatever its order in memory.
#pragma once

#include <array>
#include <cstdint>

#include "ops/strided.h"

namespace etalon::ops {

// The offset, in elements, of one element after the other. Must not be read once all elements were passed.
class RowMajorCursor {
 public:
  RowMajorCursor(const Dims& sizes, const Dims& strides);

  std::int64_t offset() const { return offset_; }
  void next();
  void seek(std::int64_t position);  // to the element with this number, 0 <= position < numel

 private:
  std::size_t rank_ = 0;
  std::array<std::int64_t, kMaxRank> sizes_{};
  std::array<std::int64_t, kMaxRank> strides_{};
  std::array<std::int64_t, kMaxRank> index_{};
  std::int64_t offset_ = 0;
};

// True if the elements lie densely in row-major order.
bool is_row_major(const StridedView& view);

// Copies the elements of `src`, in row-major order, to those of `dst`; same dtype and number of elements, any shapes.
// The memory must not overlap, except for the exact same elements.
void copy_row_major(const StridedView& src, const StridedView& dst);

}  // namespace etalon::ops
