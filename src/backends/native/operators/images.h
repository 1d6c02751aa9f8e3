// Images in scratch memory and in channels-last order, for kernels that want channels innermost.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "kernels/vector/vector.h"
#include "tensor/tensor.h"

namespace etalon::native {

// Where pieces of scratch memory begin; each is aligned to a cache line.
class ScratchPlan {
 public:
  std::size_t take(std::size_t bytes) {
    const std::size_t at = bytes_;
    bytes_ += (bytes + 63) / 64 * 64;
    return at;
  }
  std::size_t take_floats(std::int64_t count) { return take(static_cast<std::size_t>(count) * sizeof(float)); }
  std::size_t bytes() const { return bytes_; }

 private:
  std::size_t bytes_ = 0;
};

inline bool has_channels_inside(const TensorView& t) { return t.rank() == 4 && is_channels_last_order(t.order()); }

// [images][rows][columns] to [images][columns][rows].
inline void transpose_each(const float* from, float* to, std::int64_t images, std::int64_t rows, std::int64_t columns,
                           kernels::Isa cap) {
  const auto transpose = kernels::vector_kernels(cap).transpose_x32;
  const auto [r, c] = std::array{static_cast<std::size_t>(rows), static_cast<std::size_t>(columns)};
  for (std::int64_t i = 0; i < images; ++i, from += rows * columns, to += rows * columns) transpose(from, c, to, r, r, c);
}

}  // namespace etalon::native
