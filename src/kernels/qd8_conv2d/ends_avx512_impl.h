// How sums in zmm registers begin and become floats.
#pragma once

#include "kernels/qd8_conv2d/dense_impl.h"
#include "kernels/qs8_conv2d/tile_avx512_impl.h"

namespace etalon::kernels {
namespace {

template <class Dot, int kV>
inline __attribute__((always_inline)) void start_sums(__m512i (&sums)[kV], const FloatEnds<Dot>& f, int i) {
  const __m512i excess = _mm512_set1_epi32(-f.excess(i));
#pragma GCC unroll 2
  for (int j = 0; j < kV; ++j) {
    sums[j] = _mm512_mullo_epi32(_mm512_load_si512(f.weight_sums + 16 * j), excess);
    asm("" : "+v"(sums[j]));  // else GCC knows when all are zero, and copies them around
  }
}

template <class Dot, int kR, int kV>
inline __attribute__((always_inline)) void store_sums(__m512i (&sums)[kR][kV], const FloatEnds<Dot>& f, float* out,
                                                      std::int64_t out_stride, std::int64_t columns) {
  const __m512 min = _mm512_set1_ps(f.min), max = _mm512_set1_ps(f.max);
  const __mmask64 mask = first_bytes(columns);
  __m512 scales[kV], bias[kV];
#pragma GCC unroll 2
  for (int j = 0; j < kV; ++j) scales[j] = _mm512_load_ps(f.scales + 16 * j), bias[j] = _mm512_load_ps(f.bias + 16 * j);
#pragma GCC unroll 8
  for (int i = 0; i < kR; ++i) {
    const __m512 scale = _mm512_set1_ps(f.rows[i].scale);
#pragma GCC unroll 2
    for (int j = 0; j < kV; ++j) {
      const __m512 real = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sums[i][j]), _mm512_mul_ps(scale, scales[j]), bias[j]);
      const __m512 clamped = _mm512_min_ps(_mm512_max_ps(real, min), max);
      _mm512_mask_storeu_ps(out + i * out_stride + 16 * j, static_cast<__mmask16>(mask >> (16 * j)), clamped);
    }
  }
}

// Floats leave in the order of the registers.
template <class Product>
struct FloatTiles512 : Tiles512<Product> {
  static constexpr double kFinishCycles = 0.2;
  static std::int64_t slot(std::int64_t c) { return c; }
};

}  // namespace
}  // namespace etalon::kernels
