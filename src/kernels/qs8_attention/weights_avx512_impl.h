// A row of scores to a row of weights: powers, the largest of which is kWholeWeight, rounded to integers of 16 bits.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace etalon::kernels {
namespace {

constexpr float kWholeWeight = 65535;

inline __mmask16 first_lanes(std::int64_t n) {
  return n >= 16 ? __mmask16{0xffff} : static_cast<__mmask16>((1u << static_cast<unsigned>(n)) - 1u);
}

// kWholeWeight * 2^x for x <= 0, relative error 1.2e-7, rounded.
inline __attribute__((always_inline)) __m512i weight_of(__m512 x) {
  x = _mm512_max_ps(x, _mm512_set1_ps(-60.0f));
  const __m512 n = _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT), f = _mm512_sub_ps(x, n);
  const auto scaled = [](float c) { return _mm512_set1_ps(c * kWholeWeight); };
  __m512 p = _mm512_fmadd_ps(scaled(0.001326472731307149f), f, scaled(0.009671512991189957f));
  p = _mm512_fmadd_ps(p, f, scaled(0.05550733581185341f));
  p = _mm512_fmadd_ps(p, f, scaled(0.24022242426872253f));
  p = _mm512_fmadd_ps(p, f, scaled(0.6931470036506653f));
  p = _mm512_fmadd_ps(p, f, scaled(1.0f));
  return _mm512_cvtps_epi32(_mm512_scalef_ps(p, n));
}

// 16 weights as bytes: of every four keys the upper ones, then the lower ones.
inline __attribute__((always_inline)) void store_weights(std::uint8_t* to, __m512i weights) {
  const __m256i order = _mm256_broadcastsi128_si256(_mm_setr_epi8(1, 3, 5, 7, 0, 2, 4, 6, 9, 11, 13, 15, 8, 10, 12, 14));
  _mm256_store_si256(reinterpret_cast<__m256i*>(to), _mm256_shuffle_epi8(_mm512_cvtepi32_epi16(weights), order));
}

// Scores that are exact integers, still to be multiplied by `scale`.
inline std::int32_t largest_score(const std::int32_t* scores, std::int64_t keys) {
  const __m512i lowest = _mm512_set1_epi32(INT32_MIN);
  __m512i a = lowest, b = lowest;
  std::int64_t j = 0;
  for (; j + 32 <= keys; j += 32) {
    a = _mm512_max_epi32(a, _mm512_load_si512(scores + j));
    b = _mm512_max_epi32(b, _mm512_load_si512(scores + j + 16));
  }
  for (; j < keys; j += 16) {
    const __mmask16 mask = first_lanes(keys - j);
    a = _mm512_mask_max_epi32(a, mask, a, _mm512_load_si512(scores + j));
  }
  return _mm512_reduce_max_epi32(_mm512_max_epi32(a, b));
}

// In place: weights take half of the room. Returns their sum.
inline float weigh(std::int32_t* scores, std::int64_t keys, std::int32_t largest, float scale) {
  const __m512i top = _mm512_set1_epi32(largest);
  const __m512 factor = _mm512_set1_ps(scale * 1.44269504088896341f);
  __m512i total = _mm512_setzero_si512();
  const auto weight = [&](std::int64_t j) {
    return weight_of(_mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_sub_epi32(_mm512_load_si512(scores + j), top)), factor));
  };
  auto* to = reinterpret_cast<std::uint8_t*>(scores);
  std::int64_t j = 0;
  for (; j + 16 <= keys; j += 16) {
    const __m512i w = weight(j);
    total = _mm512_add_epi32(total, w);
    store_weights(to + 2 * j, w);
  }
  if (j < keys) {
    const __m512i w = _mm512_maskz_mov_epi32(first_lanes(keys - j), weight(j));
    total = _mm512_add_epi32(total, w);
    store_weights(to + 2 * j, w);
  }
  return _mm512_reduce_add_ps(_mm512_cvtepi32_ps(total));
}

// Scores to floats in place: (score + shift) * scale + mask, which may be null. Returns the largest, NaN if one is NaN.
inline float scale_scores(std::int32_t* scores, std::int64_t keys, std::int32_t shift, float scale, const float* mask) {
  const __m512i before = _mm512_set1_epi32(shift);
  const __m512 factor = _mm512_set1_ps(scale), lowest = _mm512_set1_ps(-__builtin_inff());
  __m512 top = lowest;
  __mmask16 is_nan = 0;
  for (std::int64_t j = 0; j < keys; j += 16) {
    const __mmask16 exists = first_lanes(keys - j);
    __m512 x = _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_add_epi32(_mm512_load_si512(scores + j), before)), factor);
    if (mask != nullptr) x = _mm512_add_ps(x, _mm512_maskz_loadu_ps(exists, mask + j));
    x = _mm512_mask_mov_ps(lowest, exists, x);  // whose weight is zero
    is_nan = static_cast<__mmask16>(is_nan | _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q));
    top = _mm512_max_ps(top, x);
    _mm512_store_ps(scores + j, x);
  }
  return is_nan != 0 ? __builtin_nanf("") : _mm512_reduce_max_ps(top);
}

// As weigh(), of scaled scores. A row without a finite largest score has no weights: their sum is NaN.
inline float weigh_scaled(std::int32_t* scores, std::int64_t keys, float largest) {
  const bool has_weights = __builtin_isfinite(largest);
  const __m512 top = _mm512_set1_ps(has_weights ? largest : 0.0f), factor = _mm512_set1_ps(1.44269504088896341f);
  __m512i total = _mm512_setzero_si512();
  auto* to = reinterpret_cast<std::uint8_t*>(scores);
  for (std::int64_t j = 0; j < keys; j += 16) {
    const __m512i w = weight_of(_mm512_mul_ps(_mm512_sub_ps(_mm512_load_ps(scores + j), top), factor));
    total = _mm512_add_epi32(total, w);
    store_weights(to + 2 * j, w);
  }
  return has_weights ? _mm512_reduce_add_ps(_mm512_cvtepi32_ps(total)) : __builtin_nanf("");
}

}  // namespace
}  // namespace etalon::kernels
