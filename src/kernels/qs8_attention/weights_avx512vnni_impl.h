// A row of scores to a row of weights, in place: powers, the largest of which is 2^16 - 1, rounded to integers.
#pragma once

#include <cstring>

#include "kernels/qs8_conv2d/product_avx512vnni_impl.h"

namespace etalon::kernels {
namespace {

constexpr float kLog2E = 1.44269504088896341f;
constexpr float kInfinity = __builtin_inff();

// An integer of less than 2^22 added to this is the bits of a float: that of 3 * 2^22 plus the integer.
constexpr std::int32_t kFloatBits = 0x4b400000;
constexpr float kFloat = 12582912.0f;

inline __mmask16 first_lanes(std::int64_t n) {
  return n >= 16 ? __mmask16{0xffff} : static_cast<__mmask16>((1u << static_cast<unsigned>(n)) - 1u);
}

// (2^16 - 1) * 2^x for x <= 0, rounded; relative error 2.9e-6 before that. A polynomial of the part above the next lower
// integer, minimax among those that are exact for zero. -inf gives zero.
inline __attribute__((always_inline)) __m512i weight_of(__m512 x) {
  const auto scaled = [](float c) { return _mm512_set1_ps(c * 65535.0f); };
  const __m512 f = _mm512_reduce_ps(x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
  __m512 p = _mm512_fmadd_ps(scaled(0.013426684271557007f), f, scaled(0.05224247422381821f));
  p = _mm512_fmadd_ps(p, f, scaled(0.24128020475131592f));
  p = _mm512_fmadd_ps(p, f, scaled(0.6930448449030183f));
  p = _mm512_fmadd_ps(p, f, scaled(1.0f));
  return _mm512_cvtps_epi32(_mm512_scalef_ps(p, x));
}

// 32 weights as bytes: of every four keys the upper ones, then the lower ones.
inline __attribute__((always_inline)) __m512i split_bytes(__m512i first, __m512i second) {
  const __m512i order = _mm512_broadcast_i32x4(_mm_setr_epi8(1, 3, 5, 7, 0, 2, 4, 6, 9, 11, 13, 15, 8, 10, 12, 14));
  const __m512i words = _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7), _mm512_packus_epi32(first, second));
  return _mm512_shuffle_epi8(words, order);
}

// Weights take half of the room of scores. `power` makes of 16 of these what two is raised to; -inf for keys that do not
// exist. Returns the sum of the weights.
template <class Power>
inline __attribute__((always_inline)) float weigh(std::int32_t* scores, std::int64_t keys, const Power& power) {
  const __m512i ones = _mm512_set1_epi8(1);
  __m512i total = _mm512_setzero_si512();  // of upper and lower bytes by turns
  const auto weight = [&](std::int64_t j) { return weight_of(power(_mm512_load_si512(scores + j), j)); };
  auto* to = reinterpret_cast<std::uint8_t*>(scores);
  std::int64_t j = 0;
  for (; j + 16 < keys; j += 32) {
    const __m512i bytes = split_bytes(weight(j), weight(j + 16));
    Vnni::add(total, bytes, ones);
    _mm512_store_si512(to + 2 * j, bytes);
  }
  if (j < keys) {
    const __m512i bytes = split_bytes(weight(j), _mm512_setzero_si512());
    Vnni::add(total, bytes, ones);
    _mm256_store_si256(reinterpret_cast<__m256i*>(to + 2 * j), _mm512_castsi512_si256(bytes));
  }
  return _mm512_reduce_add_ps(_mm512_cvtepi32_ps(_mm512_sllv_epi32(total, _mm512_set1_epi64(8))));
}

// Of scores as bits of floats; `factor` is at most 2^-7. The largest score times the factor, rounded up, is subtracted from
// all: what it is larger by makes all weights smaller alike, by one part in fifty at most.
inline float weigh_bits(std::int32_t* scores, std::int64_t keys, std::int32_t largest_bits, float factor) {
  float largest = 0;
  std::memcpy(&largest, &largest_bits, sizeof largest);
  float shift = largest * factor;
  if (__builtin_fmaf(largest, factor, -shift) > 0) shift *= 1 + 0x1p-23f;
  const __m512 f = _mm512_set1_ps(factor), s = _mm512_set1_ps(shift);
  return weigh(scores, keys, [&](__m512i x, std::int64_t) { return _mm512_fmsub_ps(_mm512_castsi512_ps(x), f, s); });
}

// Of scores as floats. A row without a finite largest one has no weights: their sum is NaN.
inline float weigh_floats(std::int32_t* scores, std::int64_t keys, float largest) {
  if (!__builtin_isfinite(largest)) return __builtin_nanf("");
  const __m512 top = _mm512_set1_ps(largest), factor = _mm512_set1_ps(kLog2E);
  return weigh(scores, keys, [&](__m512i x, std::int64_t) { return _mm512_mul_ps(_mm512_sub_ps(_mm512_castsi512_ps(x), top), factor); });
}

// Integers to floats in place: score * scale + mask, which may be null. Returns the largest, NaN if one is NaN.
inline float scale_scores(std::int32_t* scores, std::int64_t keys, float scale, const float* mask) {
  const __m512 factor = _mm512_set1_ps(scale), lowest = _mm512_set1_ps(-kInfinity);
  __m512 top = lowest, sum = _mm512_setzero_ps();  // which is NaN if one is, or if the largest is infinite
  std::int64_t j = 0;
  const auto put = [&](__m512 x) {
    top = _mm512_max_ps(top, x);
    _mm512_store_ps(scores + j, x);
  };
  for (; j + 16 <= keys; j += 16) {
    const __m512 added = mask == nullptr ? _mm512_setzero_ps() : _mm512_loadu_ps(mask + j);
    const __m512 x = _mm512_fmadd_ps(_mm512_cvtepi32_ps(_mm512_load_si512(scores + j)), factor, added);
    sum = _mm512_add_ps(sum, x);
    put(x);
  }
  if (j < keys) {
    const __mmask16 exist = first_lanes(keys - j);
    const __m512 added = mask == nullptr ? _mm512_setzero_ps() : _mm512_maskz_loadu_ps(exist, mask + j);
    const __m512 x = _mm512_fmadd_ps(_mm512_cvtepi32_ps(_mm512_load_si512(scores + j)), factor, added);
    sum = _mm512_mask_add_ps(sum, exist, sum, x);
    put(_mm512_mask_mov_ps(lowest, exist, x));
  }
  const float all = _mm512_reduce_add_ps(sum);
  return all != all ? all : _mm512_reduce_max_ps(top);
}

}  // namespace
}  // namespace etalon::kernels
