// Factors that are pairs of bfloat16 numbers, of which a float's place holds one, and the rounding that makes them: what
// factors_impl.h says for floats. Include kernels/simd/avx512.h before this, and this before anything that computes.
#pragma once

#include <immintrin.h>

#include "kernels/conv2d/lanes_impl.h"

#define ETALON_PAIRS

namespace etalon::kernels {
namespace {

constexpr std::int64_t kPerPlace = 2;
constexpr int kSumsInFlight = 12;

// sums + x.first * weights.first + x.second * weights.second
ETALON_INLINE Vec multiply_add(Vec x, Vec weights, Vec sums) {
  return {_mm512_dpbf16_ps(sums.v, (__m512bh)weights.v, (__m512bh)x.v)};
}

ETALON_INLINE __mmask16 mask_of(std::int64_t lanes) {
  return static_cast<__mmask16>(lanes >= 16 ? 0xffff : lanes <= 0 ? 0 : (1 << lanes) - 1);
}

// Floats in the order of memory, rounded to nearest even.
ETALON_INLINE Vec to_pairs(Vec first, Vec second) { return {(__m512)_mm512_cvtne2ps_pbh(second.v, first.v)}; }

ETALON_INLINE Vec load_some(const float* from, std::int64_t count) { return {_mm512_maskz_loadu_ps(mask_of(count), from)}; }

// 32 floats, of which `count` exist (zeros for the others).
ETALON_INLINE Vec load_places(const float* from, std::int64_t count) {
  return to_pairs(load_some(from, count), load_some(from + kLanes, count - kLanes));
}
ETALON_INLINE Vec load_places(const float* from, std::int64_t count, Vec factor) {
  return to_pairs(load_some(from, count) * factor, load_some(from + kLanes, count - kLanes) * factor);
}
ETALON_INLINE Vec load_places(const float* from, const float* scale, std::int64_t count) {
  return to_pairs(load_some(from, count) * load_some(scale, count),
                  load_some(from + kLanes, count - kLanes) * load_some(scale + kLanes, count - kLanes));
}
ETALON_INLINE void store_places(Vec first, Vec second, float* to) { to_pairs(first, second).store(to); }

// Lane by lane.
ETALON_INLINE Vec zip_places(Vec first, Vec second) {
  const __m512i order = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21, 5, 20,
                                         4, 19, 3, 18, 2, 17, 1, 16, 0);
  return {_mm512_castsi512_ps(_mm512_permutexvar_epi16(order, _mm512_castps_si512(to_pairs(first, second).v)))};
}

// `count` floats to pairs, the last one filled up with zero; times `scale` unless that is null.
ETALON_INLINE void copy_to_pairs(const float* from, const float* scale, std::int64_t count, float* to) {
  std::int64_t i = 0;
  if (scale == nullptr) {
    for (; i + 2 * kLanes <= count; i += 2 * kLanes, to += kLanes) {
      to_pairs(Vec::load(from + i), Vec::load(from + i + kLanes)).store(to);
    }
    if (i < count) load_places(from + i, count - i).store(to, static_cast<std::size_t>(div_up(count - i, 2)));
    return;
  }
  for (; i < count; i += 2 * kLanes, to += kLanes) {
    const Vec pairs = load_places(from + i, scale + i, count - i);
    store_channels(pairs, to, static_cast<std::size_t>(smaller(kLanes, div_up(count - i, 2))));
  }
}

constexpr std::int64_t kMostPlanes = 4;

// `count` pixels of up to kMostPlanes planes, which are `plane` floats apart, to the pairs of one pixel after the other.
[[maybe_unused]] void copy_planes_to_pairs(const float* from, std::int64_t plane, std::int64_t planes, std::int64_t count,
                                           float* to) {
  const __m512i low = _mm512_set_epi32(23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
  const __m512i high = _mm512_add_epi32(low, _mm512_set1_epi32(8));
  for (std::int64_t i = 0; i < count; i += kLanes) {
    const std::int64_t left = count - i;
    const auto load = [&](std::int64_t p) { return p < planes ? load_some(from + p * plane + i, left) : Vec::zero(); };
    const Vec first = zip_places(load(0), load(1));
    if (planes <= 2) {
      _mm512_mask_storeu_ps(to + i, mask_of(left), first.v);
      continue;
    }
    const Vec second = zip_places(load(2), load(3));
    _mm512_mask_storeu_ps(to + 2 * i, mask_of(2 * left), _mm512_permutex2var_ps(first.v, low, second.v));
    _mm512_mask_storeu_ps(to + 2 * i + kLanes, mask_of(2 * left - kLanes), _mm512_permutex2var_ps(first.v, high, second.v));
  }
}

}  // namespace
}  // namespace etalon::kernels
