// A row of scores to a row of weights, in place: powers, the largest of which is 2^16 - 1, rounded to
// integers.
#pragma once

#include <cstring>
#include <type_traits>

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

// (2^16 - 1) * 2^x for x <= 0, rounded; relative error 2.9e-6 before that. A polynomial of the part above the
// next lower integer, minimax among those that are exact for zero. -inf gives zero. Registers go side by
// side: each is a long chain.
template <int kCount>
inline __attribute__((always_inline)) void weights_of(const __m512 (&x)[kCount], __m512i (&weights)[kCount]) {
  const auto scaled = [](float c) { return _mm512_set1_ps(c * 65535.0f); };
  const float factors[] = {0.05224247422381821f, 0.24128020475131592f, 0.6930448449030183f, 1.0f};
  __m512 f[kCount], p[kCount];
#pragma GCC unroll 4
  for (int i = 0; i < kCount; ++i) f[i] = _mm512_reduce_ps(x[i], _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
#pragma GCC unroll 4
  for (int i = 0; i < kCount; ++i) p[i] = scaled(0.013426684271557007f);
#pragma GCC unroll 4
  for (const float factor : factors) {
#pragma GCC unroll 4
    for (int i = 0; i < kCount; ++i) p[i] = _mm512_fmadd_ps(p[i], f[i], scaled(factor));
  }
#pragma GCC unroll 4
  for (int i = 0; i < kCount; ++i) weights[i] = _mm512_cvtps_epi32(_mm512_scalef_ps(p[i], x[i]));
}

// 32 weights as bytes: of every four keys the upper ones, then the lower ones.
inline __attribute__((always_inline)) __m512i split_bytes(__m512i first, __m512i second) {
  const __m512i order =
      _mm512_broadcast_i32x4(_mm_setr_epi8(1, 3, 5, 7, 0, 2, 4, 6, 9, 11, 13, 15, 8, 10, 12, 14));
  const __m512i words =
      _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7), _mm512_packus_epi32(first, second));
  return _mm512_shuffle_epi8(words, order);
}

// Weights take half of the room of scores. `power` makes of 16 of these what two is raised to; -inf for keys
// that do not exist. Returns numbers whose sum is that of the weights.
template <class Power>
inline __attribute__((always_inline)) __m512 weigh(std::int32_t* scores, std::int64_t keys,
                                                   const Power& power) {
  const __m512i ones = _mm512_set1_epi8(1);
  __m512i total = _mm512_setzero_si512();  // of upper and lower bytes by turns
  auto* to = reinterpret_cast<std::uint8_t*>(scores);
  std::int64_t j = 0;
  const auto several = [&](auto count) __attribute__((always_inline)) {
    constexpr int kCount = decltype(count)::value;
    __m512 x[kCount];
    __m512i w[kCount];
#pragma GCC unroll 4
    for (int i = 0; i < kCount; ++i) x[i] = power(_mm512_load_si512(scores + j + 16 * i));
    weights_of(x, w);
#pragma GCC unroll 2
    for (int i = 0; i < kCount; i += 2) {
      const __m512i bytes = split_bytes(w[i], i + 1 < kCount ? w[i + 1] : _mm512_setzero_si512());
      Vnni::add(total, bytes, ones);
      if constexpr (kCount == 1)
        _mm256_store_si256(reinterpret_cast<__m256i*>(to + 2 * j), _mm512_castsi512_si256(bytes));
      else
        _mm512_store_si512(to + 2 * (j + 16 * i), bytes);
    }
    j += 16 * kCount;
  };
  while (j + 48 < keys) several(std::integral_constant<int, 4>());
  if (j + 16 < keys) several(std::integral_constant<int, 2>());
  if (j < keys) several(std::integral_constant<int, 1>());
  return _mm512_cvtepi32_ps(_mm512_sllv_epi32(total, _mm512_set1_epi64(8)));
}

// Of scores as bits of floats: powers of score * factor - shift.
inline __m512 weigh_bits(std::int32_t* scores, std::int64_t keys, float factor, float shift) {
  const __m512 f = _mm512_set1_ps(factor), s = _mm512_set1_ps(shift);
  return weigh(scores, keys, [&](__m512i x) { return _mm512_fmsub_ps(_mm512_castsi512_ps(x), f, s); });
}
// The largest scores times the factor, rounded up. What that is too large by makes all weights of a row
// smaller alike: by one part in fifty at most, if the factor is at most 2^-7.
inline __m512 shifts_of(__m512 largest, float factor) {
  const __m512 f = _mm512_set1_ps(factor), shift = _mm512_mul_ps(largest, f);
  const __mmask16 is_low =
      _mm512_cmp_ps_mask(_mm512_fmsub_ps(largest, f, shift), _mm512_setzero_ps(), _CMP_GT_OQ);
  return _mm512_mask_mul_ps(shift, is_low, shift, _mm512_set1_ps(1 + 0x1p-23f));
}

// Of scores as floats: powers of e of score - shift.
inline __m512 weigh_floats(std::int32_t* scores, std::int64_t keys, float shift) {
  const __m512 s = _mm512_set1_ps(shift), factor = _mm512_set1_ps(kLog2E);
  return weigh(scores, keys,
               [&](__m512i x) { return _mm512_mul_ps(_mm512_sub_ps(_mm512_castsi512_ps(x), s), factor); });
}

struct ScaledScores {
  __m512 tops;  // of which the largest is that of the scores
  __m512 sums;  // one is NaN if a score is
};
// Integers to floats in place: score * scale + mask, which may be null.
inline ScaledScores scale_scores(std::int32_t* scores, std::int64_t keys, float scale, const float* mask) {
  const __m512 factor = _mm512_set1_ps(scale), lowest = _mm512_set1_ps(-kInfinity);
  ScaledScores out{lowest, _mm512_setzero_ps()};
  std::int64_t j = 0;
  const auto put = [&](__m512 x) {
    out.tops = _mm512_max_ps(out.tops, x);
    _mm512_store_ps(scores + j, x);
  };
  for (; j + 16 <= keys; j += 16) {
    const __m512 added = mask == nullptr ? _mm512_setzero_ps() : _mm512_loadu_ps(mask + j);
    const __m512 x = _mm512_fmadd_ps(_mm512_cvtepi32_ps(_mm512_load_si512(scores + j)), factor, added);
    out.sums = _mm512_add_ps(out.sums, x);
    put(x);
  }
  if (j < keys) {
    const __mmask16 exist = first_lanes(keys - j);
    const __m512 added = mask == nullptr ? _mm512_setzero_ps() : _mm512_maskz_loadu_ps(exist, mask + j);
    const __m512 x = _mm512_fmadd_ps(_mm512_cvtepi32_ps(_mm512_load_si512(scores + j)), factor, added);
    out.sums = _mm512_mask_add_ps(out.sums, exist, out.sums, x);
    put(_mm512_mask_mov_ps(lowest, exist, x));
  }
  return out;
}

// Lane i becomes what `join` makes of the 16 numbers of row i.
template <class Join>
inline __attribute__((always_inline)) __m512 join_rows(const float* rows, const Join& join) {
  __m512 x[16];
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) x[i] = _mm512_load_ps(rows + 16 * i);
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i) {
    x[i] = join(_mm512_unpacklo_ps(x[2 * i], x[2 * i + 1]), _mm512_unpackhi_ps(x[2 * i], x[2 * i + 1]));
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    const __m512d a = _mm512_castps_pd(x[2 * i]), b = _mm512_castps_pd(x[2 * i + 1]);
    x[i] = join(_mm512_castpd_ps(_mm512_unpacklo_pd(a, b)), _mm512_castpd_ps(_mm512_unpackhi_pd(a, b)));
  }
#pragma GCC unroll 3
  for (const int count : {2, 1}) {
#pragma GCC unroll 2
    for (int i = 0; i < count; ++i) {
      x[i] = join(_mm512_shuffle_f32x4(x[2 * i], x[2 * i + 1], 0x88),
                  _mm512_shuffle_f32x4(x[2 * i], x[2 * i + 1], 0xDD));
    }
  }
  return x[0];
}
inline __m512 sums_of_rows(const float* rows) {
  return join_rows(rows, [](__m512 a, __m512 b) { return _mm512_add_ps(a, b); });
}
inline __m512 largest_of_rows(const float* rows) {
  return join_rows(rows, [](__m512 a, __m512 b) { return _mm512_max_ps(a, b); });
}

}  // namespace
}  // namespace etalon::kernels
