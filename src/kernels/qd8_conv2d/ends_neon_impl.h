// How sums in Advanced SIMD registers begin and become floats.
#pragma once

#include "kernels/qs8_conv2d/tile_neon_impl.h"
// The ISA comes first.
#include "kernels/qd8_conv2d/dense_impl.h"

namespace etalon::kernels {
namespace {

template <class Dot, int kV>
ETALON_INLINE void start_sums(int32x4_t (&sums)[kV], const FloatEnds<Dot>& f, int i) {
  const std::int32_t excess = -f.excess(i);
#pragma GCC unroll 4
  for (int j = 0; j < kV; ++j) sums[j] = vmulq_n_s32(vld1q_s32(f.weight_sums + 4 * j), excess);
}

ETALON_INLINE void store(float* out, float32x4_t floats, std::int64_t columns) {
  if (columns >= 4) return vst1q_f32(out, floats);
  float all[4];
  vst1q_f32(all, floats);
  for (std::int64_t c = 0; c < columns; ++c) out[c] = all[c];
}

template <class Dot, int kR, int kV>
ETALON_INLINE void store_sums(const int32x4_t (&sums)[kR][kV], const FloatEnds<Dot>& f, float* out, std::int64_t out_stride,
                              std::int64_t columns) {
  const float32x4_t min = vdupq_n_f32(f.min), max = vdupq_n_f32(f.max);
#pragma GCC unroll 4
  for (int i = 0; i < kR; ++i) {
#pragma GCC unroll 4
    for (int j = 0; j < kV; ++j) {
      const float32x4_t scale = vmulq_n_f32(vld1q_f32(f.scales + 4 * j), f.rows[i].scale);
      const float32x4_t real = vfmaq_f32(vld1q_f32(f.bias + 4 * j), vcvtq_f32_s32(sums[i][j]), scale);
      store(out + i * out_stride + 4 * j, vminq_f32(vmaxq_f32(real, min), max), columns - 4 * j);
    }
  }
}

template <class Product>
struct FloatTilesNeon : TilesNeon<Product> {
  static constexpr double kFinishCycles = 0.7;
};

}  // namespace
}  // namespace etalon::kernels
