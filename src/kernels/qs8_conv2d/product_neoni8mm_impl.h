// Products of two pixels' eight taps by two channels': sums lie in squares while they are added to.
#pragma once

#include <arm_neon.h>

#include <cstdint>

namespace etalon::kernels {
namespace {

struct MatrixNeon {
  static constexpr std::int64_t kGroup = 8;  // taps that one step multiplies
  static constexpr double kProductsPerCycle = 52, kGatheredPerCycle = 8, kFinishCycles = 0.8;

  static int32x4_t lower_halves(int32x4_t a, int32x4_t b) {
    return vreinterpretq_s32_s64(vtrn1q_s64(vreinterpretq_s64_s32(a), vreinterpretq_s64_s32(b)));
  }
  static int32x4_t upper_halves(int32x4_t a, int32x4_t b) {
    return vreinterpretq_s32_s64(vtrn2q_s64(vreinterpretq_s64_s32(a), vreinterpretq_s64_s32(b)));
  }

  // Of an odd number of pixels, the last is its own neighbour.
  template <int kR, int kV>
  static __attribute__((always_inline)) void multiply(int32x4_t (&sums)[kR][kV], const std::int8_t* a, std::int64_t a_stride,
                                                      const std::int8_t* w, std::int64_t steps) {
    constexpr int kPairs = (kR + 1) / 2;
    int32x4_t squares[kPairs][2 * kV];
#pragma GCC unroll 2
    for (int p = 0; p < kPairs; ++p) {
      const int first = 2 * p, second = first + 1 < kR ? first + 1 : first;
#pragma GCC unroll 4
      for (int j = 0; j < kV; ++j) {
        squares[p][2 * j] = lower_halves(sums[first][j], sums[second][j]);
        squares[p][2 * j + 1] = upper_halves(sums[first][j], sums[second][j]);
      }
    }
    for (std::int64_t k = 0; k < steps; ++k, a += 8, w += kV * 32) {
      int8x16_t x[kPairs];
#pragma GCC unroll 2
      for (int p = 0; p < kPairs; ++p) {
        const std::int8_t* first = a + 2 * p * a_stride;
        x[p] = vcombine_s8(vld1_s8(first), vld1_s8(2 * p + 1 < kR ? first + a_stride : first));
      }
#pragma GCC unroll 8
      for (int j = 0; j < 2 * kV; ++j) {
        const int8x16_t b = vld1q_s8(w + 16 * j);
#pragma GCC unroll 2
        for (int p = 0; p < kPairs; ++p) squares[p][j] = vmmlaq_s32(squares[p][j], x[p], b);
      }
    }
#pragma GCC unroll 4
    for (int i = 0; i < kR; ++i) {
#pragma GCC unroll 4
      for (int j = 0; j < kV; ++j) {
        const int32x4_t left = squares[i / 2][2 * j], right = squares[i / 2][2 * j + 1];
        sums[i][j] = i % 2 == 0 ? lower_halves(left, right) : upper_halves(left, right);
      }
    }
  }
};

}  // namespace
}  // namespace etalon::kernels
