// Pooling windows over NHWC images. See vector.h; included by vector_impl.h.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/vector/math_impl.h"
#include "kernels/vector/taps_impl.h"
#include "kernels/vector/vector.h"

namespace etalon::kernels {
namespace {

struct MaxPool {
  ETALON_INLINE static Vec first() { return Vec::of(-__builtin_inff()); }
  // A NaN wins, whichever operand it is.
  ETALON_INLINE static Vec join(Vec acc, Vec v) { return select(is_nan(v), v, max(v, acc)); }
  ETALON_INLINE static Vec finish(Vec acc, Vec) { return acc; }
};
struct AveragePool {
  ETALON_INLINE static Vec first() { return Vec::zero(); }
  ETALON_INLINE static Vec join(Vec acc, Vec v) { return acc + v; }
  ETALON_INLINE static Vec finish(Vec acc, Vec count) { return acc / count; }
};

template <class Pool, int kVecs>
ETALON_INLINE void pool_window(const PoolShape& s, const float* x, Taps rows, Taps columns, std::size_t part, Vec low,
                               Vec high, float* out) {
  constexpr std::size_t kLanes = Vec::kLanes;
  Vec acc[kVecs];
#pragma GCC unroll 4
  for (int v = 0; v < kVecs; ++v) acc[v] = Pool::first();
  for (std::int64_t i = 0; i < rows.count; ++i) {
    const std::int64_t row = rows.first_index + i * s.dilation_h;
    const float* p = x + (row * s.in_w + columns.first_index) * s.channels;
    for (std::int64_t j = 0; j < columns.count; ++j, p += s.dilation_w * s.channels) {
#pragma GCC unroll 4
      for (int v = 0; v < kVecs; ++v) {
        const float* q = p + static_cast<std::size_t>(v) * kLanes;
        acc[v] = Pool::join(acc[v], part == kLanes ? Vec::load(q) : Vec::load(q, part));
      }
    }
  }
  const std::int64_t taps = rows.count * columns.count;
  const Vec count = Vec::of(static_cast<float>(taps == 0 ? 1 : taps));
#pragma GCC unroll 4
  for (int v = 0; v < kVecs; ++v) {
    const Vec result = clamp(Pool::finish(acc[v], count), low, high);
    float* q = out + static_cast<std::size_t>(v) * kLanes;
    part == kLanes ? result.store(q) : result.store(q, part);
  }
}

template <class Pool>
__attribute__((noinline)) void pool_rows(const PoolShape& s, const float* x, float* out, std::int64_t row_begin,
                                         std::int64_t row_end) {
  constexpr std::size_t kLanes = Vec::kLanes;
  const auto channels = static_cast<std::size_t>(s.channels);
  const Vec low = Vec::of(s.min);
  const Vec high = Vec::of(s.max);
  for (std::int64_t oh = row_begin; oh < row_end; ++oh) {
    const Taps rows = taps_inside(oh, s.stride_h, s.pad_top, s.dilation_h, s.kernel_h, s.in_h);
    for (std::int64_t ow = 0; ow < s.out_w; ++ow) {
      const Taps columns = taps_inside(ow, s.stride_w, s.pad_left, s.dilation_w, s.kernel_w, s.in_w);
      float* y = out + (oh * s.out_w + ow) * s.channels;
      std::size_t c = 0;
      for (; c + 4 * kLanes <= channels; c += 4 * kLanes) {
        pool_window<Pool, 4>(s, x + c, rows, columns, kLanes, low, high, y + c);
      }
      for (; c + kLanes <= channels; c += kLanes) {
        pool_window<Pool, 1>(s, x + c, rows, columns, kLanes, low, high, y + c);
      }
      if (c < channels) pool_window<Pool, 1>(s, x + c, rows, columns, channels - c, low, high, y + c);
    }
  }
}

}  // namespace
}  // namespace etalon::kernels
