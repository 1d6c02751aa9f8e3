// Four products per 32-bit lane. A register holds four groups of taps of a pixel; each meets its weights by its lane.
#pragma once

#include <arm_neon.h>

#include <cstdint>

namespace etalon::kernels {
namespace {

struct DotNeon {
  static constexpr std::int64_t kGroup = 4;  // taps that one step multiplies
  static constexpr double kProductsPerCycle = 26, kGatheredPerCycle = 8, kFinishCycles = 0.6;

  template <int kLane, int kR, int kV>
  static __attribute__((always_inline)) void add(int32x4_t (&sums)[kR][kV], const int8x16_t (&x)[kR], const std::int8_t* w) {
#pragma GCC unroll 4
    for (int j = 0; j < kV; ++j) {
      const int8x16_t b = vld1q_s8(w + 16 * j);
#pragma GCC unroll 4
      for (int i = 0; i < kR; ++i) sums[i][j] = vdotq_laneq_s32(sums[i][j], b, x[i], kLane);
    }
  }

  template <int kR, int kV>
  static __attribute__((always_inline)) void multiply(int32x4_t (&sums)[kR][kV], const std::int8_t* a, std::int64_t a_stride,
                                                      const std::int8_t* w, std::int64_t steps) {
    int8x16_t x[kR];
    std::int64_t k = 0;
    for (; k + 4 <= steps; k += 4, a += 16, w += kV * 64) {
#pragma GCC unroll 4
      for (int i = 0; i < kR; ++i) x[i] = vld1q_s8(a + i * a_stride);
      add<0>(sums, x, w);
      add<1>(sums, x, w + kV * 16);
      add<2>(sums, x, w + kV * 32);
      add<3>(sums, x, w + kV * 48);
    }
    for (; k < steps; ++k, a += 4, w += kV * 16) {
#pragma GCC unroll 4
      for (int i = 0; i < kR; ++i) {
        std::int32_t four = 0;
        __builtin_memcpy(&four, a + i * a_stride, 4);
        x[i] = vreinterpretq_s8_s32(vdupq_n_s32(four));
      }
      add<0>(sums, x, w);
    }
  }
};

}  // namespace
}  // namespace etalon::kernels
