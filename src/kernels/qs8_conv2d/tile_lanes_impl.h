// Tiles of 4 pixels by 16 channels as loops over channels that compilers turn into vectors, for ISAs without tiles of
// their own. start_sum() and finish_sum() of the type of `Ends` say how a sum begins and ends.
#pragma once

#include "kernels/qs8_conv2d/dense_impl.h"

namespace etalon::kernels {
namespace {

inline std::uint32_t start_sum(const Finish& f, std::int64_t c) { return static_cast<std::uint32_t>(f.bias[c]); }

inline std::int8_t finish_sum(std::uint32_t sum, const Finish& f, std::int64_t, std::int64_t c) {
  const float scaled = static_cast<float>(static_cast<std::int32_t>(sum)) * f.scales[c];
  const float above = scaled > f.low ? scaled : f.low, clamped = above < f.high ? above : f.high;
  return static_cast<std::int8_t>(static_cast<std::int32_t>(__builtin_lrintf(clamped)) + f.zero_point);
}

struct TilesOfLanes {
  using Stored = std::int16_t;
  static constexpr std::int64_t kGroup = 1;
  static constexpr std::int64_t kColumns = 16, kNarrowColumns = 8, kRows = 4;
  static constexpr bool kReadsInput = false;
  static constexpr double kProductsPerCycle = 2, kGatheredPerCycle = 4, kFinishCycles = 3;

  static std::int32_t folded(std::int32_t) { return 0; }
  static std::int64_t slot(std::int64_t c) { return c; }
  static std::int64_t narrow_slot(std::int64_t c) { return c; }

  static void convert(const std::int8_t* from, std::int64_t n, std::int32_t zero_point, std::int16_t* to) {
    for (std::int64_t i = 0; i < n; ++i) to[i] = static_cast<std::int16_t>(from[i] - zero_point);
  }
  // `runs` of `n` bytes each, `step` apart, one after the other.
  static void convert_runs(const std::int8_t* from, std::int64_t step, std::int64_t runs, std::int64_t n,
                           std::int32_t zero_point, std::int16_t* to) {
    for (std::int64_t r = 0; r < runs; ++r) convert(from + r * step, n, zero_point, to + r * n);
  }
  static void fill(std::int64_t n, std::int32_t, std::int16_t* to) {
    __builtin_memset(to, 0, static_cast<std::size_t>(n) * 2);
  }

  template <int kR, int kC, class Ends, class Out>
  static void compute(const std::int16_t* a, std::int64_t a_stride, const std::int8_t* w, std::int64_t steps,
                      const Ends& ends, Out* out, std::int64_t out_stride, std::int64_t columns) {
    std::uint32_t sums[kR][kC];
    for (int i = 0; i < kR; ++i) {
      for (int c = 0; c < kC; ++c) sums[i][c] = start_sum(ends, c);
    }
    for (std::int64_t k = 0; k < steps; ++k, w += kC) {
      for (int i = 0; i < kR; ++i) {
        const std::int16_t x = a[i * a_stride + k];
        for (int c = 0; c < kC; ++c) sums[i][c] += static_cast<std::uint32_t>(x * static_cast<std::int16_t>(w[c]));
      }
    }
    for (int i = 0; i < kR; ++i) {
      for (std::int64_t c = 0; c < columns; ++c) out[i * out_stride + c] = finish_sum(sums[i][c], ends, i, c);
    }
  }

  template <int kC, class Ends, class Out>
  static void tile_of(std::int64_t rows, const std::int16_t* a, std::int64_t a_stride, const std::int8_t* w,
                      std::int64_t steps, const Ends& ends, Out* out, std::int64_t out_stride, std::int64_t columns) {
    switch (rows) {
      case 1: return compute<1, kC>(a, a_stride, w, steps, ends, out, out_stride, columns);
      case 2: return compute<2, kC>(a, a_stride, w, steps, ends, out, out_stride, columns);
      case 3: return compute<3, kC>(a, a_stride, w, steps, ends, out, out_stride, columns);
      default: return compute<4, kC>(a, a_stride, w, steps, ends, out, out_stride, columns);
    }
  }

  template <class Ends, class Out>
  static void tile(std::int64_t rows, bool is_narrow, const std::int16_t* a, std::int64_t a_stride, const std::int8_t* w,
                   std::int64_t steps, const Ends& ends, Out* out, std::int64_t out_stride, std::int64_t columns) {
    if (is_narrow) tile_of<8>(rows, a, a_stride, w, steps, ends, out, out_stride, columns);
    else tile_of<16>(rows, a, a_stride, w, steps, ends, out, out_stride, columns);
  }

  static void translate(std::int8_t* data, std::int64_t n, const std::uint8_t* table) {
    for (std::int64_t i = 0; i < n; ++i) data[i] = static_cast<std::int8_t>(table[static_cast<std::uint8_t>(data[i])]);
  }
};

}  // namespace
}  // namespace etalon::kernels
