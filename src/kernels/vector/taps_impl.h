// Where the window of a pooling lies in its image.
#pragma once

#include <cstdint>

namespace etalon::kernels {
namespace {

// Which taps of a window fall inside the image along one axis.
struct Taps {
  std::int64_t first_index;  // input index of the first of them
  std::int64_t count;
};
inline __attribute__((always_inline)) Taps taps_inside(std::int64_t out_index, std::int64_t stride, std::int64_t pad,
                                                       std::int64_t dilation, std::int64_t kernel, std::int64_t size) {
  const std::int64_t start = out_index * stride - pad;
  if (start >= 0 && start + (kernel - 1) * dilation < size) return {start, kernel};
  const std::int64_t begin = start < 0 ? (dilation - 1 - start) / dilation : 0;
  const std::int64_t end = start >= size ? 0 : (size - start + dilation - 1) / dilation;
  const std::int64_t count = (end < kernel ? end : kernel) - begin;
  return {start + begin * dilation, count < 0 ? 0 : count};
}

}  // namespace
}  // namespace etalon::kernels
