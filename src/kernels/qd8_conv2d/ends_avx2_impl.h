// How sums in ymm registers begin and become floats.
#pragma once

#include "kernels/qd8_conv2d/dense_impl.h"
#include "kernels/qs8_conv2d/tile_avx2_impl.h"

namespace etalon::kernels {
namespace {

template <class Dot, int kV>
inline __attribute__((always_inline)) void start_sums(__m256i (&sums)[kV], const FloatEnds<Dot>& f, int i) {
  const __m256i excess = _mm256_set1_epi32(-f.excess(i));
#pragma GCC unroll 2
  for (int j = 0; j < kV; ++j) {
    const __m256i weights = _mm256_load_si256(reinterpret_cast<const __m256i*>(f.weight_sums + 8 * j));
    sums[j] = _mm256_mullo_epi32(weights, excess);
    asm("" : "+x"(sums[j]));  // else GCC knows when all are zero, and copies them around
  }
}

inline void store(float* out, __m256 floats, std::int64_t columns) {
  if (columns >= 8) return _mm256_storeu_ps(out, floats);
  alignas(32) float all[8];
  _mm256_store_ps(all, floats);
  for (std::int64_t c = 0; c < columns; ++c) out[c] = all[c];
}

template <class Dot, int kR, int kV>
inline __attribute__((always_inline)) void store_sums(__m256i (&sums)[kR][kV], const FloatEnds<Dot>& f, float* out,
                                                      std::int64_t out_stride, std::int64_t columns) {
  const __m256 min = _mm256_set1_ps(f.min), max = _mm256_set1_ps(f.max);
#pragma GCC unroll 8
  for (int i = 0; i < kR; ++i) {
    const __m256 scale = _mm256_set1_ps(f.rows[i].scale);
#pragma GCC unroll 2
    for (int j = 0; j < kV; ++j) {
      const __m256 both = _mm256_mul_ps(scale, _mm256_load_ps(f.scales + 8 * j));
      const __m256 real = _mm256_fmadd_ps(_mm256_cvtepi32_ps(sums[i][j]), both, _mm256_load_ps(f.bias + 8 * j));
      store(out + i * out_stride + 8 * j, _mm256_min_ps(_mm256_max_ps(real, min), max), columns - 8 * j);
    }
  }
}

// Floats leave in the order of the registers.
template <class Product, int kMostRows = 4>
struct FloatTiles256 : Tiles256<Product, kMostRows> {
  static constexpr double kFinishCycles = 0.5;
  static std::int64_t slot(std::int64_t c) { return c; }
};

}  // namespace
}  // namespace etalon::kernels
