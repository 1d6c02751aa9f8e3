// Pairs of bfloat16 numbers on AVX512-BF16. Include kernels/simd/avx512.h before, and pairs_impl.h instead of this elsewhere.
#pragma once

#include <immintrin.h>

#include "kernels/conv2d/lanes_impl.h"
#include "kernels/math_mode.h"

#define ETALON_PAIRS

namespace etalon::kernels {
namespace {

constexpr MathMode kFactorMath = MathMode::kBf16;
constexpr int kSumsInFlight = 12;
constexpr double kCyclesOfStep = 0.55;

// sums + x.first * weights.first + x.second * weights.second
ETALON_INLINE Vec multiply_add(Vec x, Vec weights, Vec sums) {
  return {_mm512_dpbf16_ps(sums.v, (__m512bh)weights.v, (__m512bh)x.v)};
}

ETALON_INLINE __mmask16 mask_of(std::int64_t lanes) {
  return static_cast<__mmask16>(lanes >= 16 ? 0xffff : lanes <= 0 ? 0 : (1 << lanes) - 1);
}
ETALON_INLINE Vec load_some(const float* from, std::int64_t count) { return {_mm512_maskz_loadu_ps(mask_of(count), from)}; }
ETALON_INLINE void store_some(Vec x, float* to, std::int64_t count) { _mm512_mask_storeu_ps(to, mask_of(count), x.v); }

// Floats in the order of memory, rounded to nearest even.
ETALON_INLINE Vec to_pairs(Vec first, Vec second) { return {(__m512)_mm512_cvtne2ps_pbh(second.v, first.v)}; }

// Lane by lane.
ETALON_INLINE Vec zip_places(Vec first, Vec second) {
  const __m512i order = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21, 5, 20,
                                         4, 19, 3, 18, 2, 17, 1, 16, 0);
  return {_mm512_castsi512_ps(_mm512_permutexvar_epi16(order, _mm512_castps_si512(to_pairs(first, second).v)))};
}

// A lane of the first, the same one of the second, the next.
ETALON_INLINE void interleave(Vec first, Vec second, Vec& low, Vec& high) {
  const __m512i order = _mm512_set_epi32(23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
  low = {_mm512_permutex2var_ps(first.v, order, second.v)};
  high = {_mm512_permutex2var_ps(first.v, _mm512_add_epi32(order, _mm512_set1_epi32(8)), second.v)};
}

}  // namespace
}  // namespace etalon::kernels

#include "kernels/conv2d/pairs_impl.h"
