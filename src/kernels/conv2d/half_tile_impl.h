// Tiles that sum in half precision, for kHalfSteps pairs at a time, and add those sums to float32 ones: twice the
// multiply-adds of float32 per instruction, but for the additions. Included by tile_impl.h; Neon with half arithmetic only.
//
// A lane sums kHalfSteps products, each step rounded by 2^-11 of the sum so far: at most kHalfSteps * 2^-11 of the sum of
// magnitudes, usually the root of that. Sums from 65520 on become infinite.
#pragma once

#include <arm_neon.h>

namespace etalon::kernels {
namespace {

constexpr std::int64_t kHalfSteps = 32;

template <int kRows, int kVecs>
struct HalfTile : Tile<kRows, kVecs> {
  using Tile<kRows, kVecs>::acc;

  ETALON_INLINE void add(const float* const (&a)[kRows], const float* b, std::int64_t count, Prefetch&) {
    for (std::int64_t k = 0; k < count;) {
      float16x8_t sums[kRows][kVecs];
#pragma GCC unroll 32
      for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 8
        for (int j = 0; j < kVecs; ++j) sums[i][j] = vdupq_n_f16(0);
      }
      for (const std::int64_t end = smaller(count, k + kHalfSteps); k < end; ++k) step(a, b, k, sums);
      flush(sums);
    }
  }

 private:
  ETALON_INLINE static void step(const float* const (&a)[kRows], const float* b, std::int64_t k, float16x8_t (&sums)[kRows][kVecs]) {
    float16x8_t weights[kVecs];
#pragma GCC unroll 8
    for (int j = 0; j < kVecs; ++j) weights[j] = vreinterpretq_f16_f32(vld1q_f32(b + (k * kVecs + j) * kLanes));
#pragma GCC unroll 32
    for (int i = 0; i < kRows; ++i) {
      const float16x8_t x = vreinterpretq_f16_f32(vld1q_dup_f32(a[i] + k));
#pragma GCC unroll 8
      for (int j = 0; j < kVecs; ++j) sums[i][j] = vfmaq_f16(sums[i][j], x, weights[j]);
    }
  }
  // Lanes of a pair belong to one channel.
  ETALON_INLINE void flush(const float16x8_t (&sums)[kRows][kVecs]) {
#pragma GCC unroll 32
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 8
      for (int j = 0; j < kVecs; ++j) {
        const float32x4_t low = vcvt_f32_f16(vget_low_f16(sums[i][j])), high = vcvt_high_f32_f16(sums[i][j]);
        acc[0][i][j] = acc[0][i][j] + Vec{vpaddq_f32(low, high)};
      }
    }
  }
};

}  // namespace
}  // namespace etalon::kernels
