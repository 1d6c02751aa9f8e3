// Tiles of kernels/conv2d/tile_impl.h over pairs of bfloat16 numbers, of which a float's place holds one, and the rounding
// that makes them. Include kernels/simd/avx512.h before this, and this before tile_impl.h.
#pragma once

#include <immintrin.h>

#include "kernels/conv2d/lanes_impl.h"

#define ETALON_PAIRS

namespace etalon::kernels {
namespace {

// sums + x.first * weights.first + x.second * weights.second
ETALON_INLINE Vec multiply_add(Vec x, Vec weights, Vec sums) {
  return {_mm512_dpbf16_ps(sums.v, (__m512bh)weights.v, (__m512bh)x.v)};
}
constexpr int kSumsInFlight = 12;

ETALON_INLINE __mmask16 mask_of(std::int64_t lanes) {
  return static_cast<__mmask16>(lanes >= 16 ? 0xffff : lanes <= 0 ? 0 : (1 << lanes) - 1);
}

// 32 floats, of which `count` exist (zeros for the others), as 16 pairs; to nearest even.
ETALON_INLINE Vec load_pairs(const float* from) {
  return {(__m512)_mm512_cvtne2ps_pbh(_mm512_loadu_ps(from + 16), _mm512_loadu_ps(from))};
}
ETALON_INLINE Vec load_pairs(const float* from, std::int64_t count) {
  return {(__m512)_mm512_cvtne2ps_pbh(_mm512_maskz_loadu_ps(mask_of(count - 16), from + 16),
                                      _mm512_maskz_loadu_ps(mask_of(count), from))};
}
ETALON_INLINE Vec load_pairs(const float* from, const float* scale, std::int64_t count) {
  const __mmask16 low = mask_of(count), high = mask_of(count - 16);
  return {(__m512)_mm512_cvtne2ps_pbh(
      _mm512_mul_ps(_mm512_maskz_loadu_ps(high, from + 16), _mm512_maskz_loadu_ps(high, scale + 16)),
      _mm512_mul_ps(_mm512_maskz_loadu_ps(low, from), _mm512_maskz_loadu_ps(low, scale)))};
}

// `count` floats to pairs, the last one filled up with zero; times `scale` unless that is null.
ETALON_INLINE void to_pairs(const float* from, const float* scale, std::int64_t count, float* to) {
  std::int64_t i = 0;
  if (scale == nullptr) {
    for (; i + 2 * kLanes <= count; i += 2 * kLanes, to += kLanes) load_pairs(from + i).store(to);
    if (i < count) load_pairs(from + i, count - i).store(to, static_cast<std::size_t>(div_up(count - i, 2)));
    return;
  }
  for (; i < count; i += 2 * kLanes, to += kLanes) {
    const Vec pairs = load_pairs(from + i, scale + i, count - i);
    store_channels(pairs, to, static_cast<std::size_t>(smaller(kLanes, div_up(count - i, 2))));
  }
}

}  // namespace
}  // namespace etalon::kernels
