// Vec for AVX2 with FMA3: 8 floats. See README.md.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#define ETALON_ISA kAvx2
#define ETALON_ISA_SUFFIX "fma3"
#define ETALON_INLINE inline __attribute__((always_inline))

namespace etalon::kernels {
namespace {

alignas(64) constexpr std::int32_t kLaneMasks[16] = {-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0};

struct Vec {
  static constexpr std::size_t kLanes = 8;
  static constexpr int kRegisters = 16;
  // Newton steps that bring reciprocal_estimate to full precision.
  static constexpr int kReciprocalSteps = 2;
  __m256 v;

  ETALON_INLINE static __m256i first(std::size_t n) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kLaneMasks + 8 - n));
  }
  ETALON_INLINE static Vec zero() { return {_mm256_setzero_ps()}; }
  ETALON_INLINE static Vec of(float x) { return {_mm256_set1_ps(x)}; }
  ETALON_INLINE static Vec load(const float* p) { return {_mm256_loadu_ps(p)}; }
  // The first `n` <= kLanes floats; the rest are zero and not touched in memory.
  ETALON_INLINE static Vec load(const float* p, std::size_t n) { return {_mm256_maskload_ps(p, first(n))}; }
  // The same with the lanes of `rest` after them.
  ETALON_INLINE static Vec load(const float* p, std::size_t n, Vec rest) {
    const __m256i mask = first(n);
    return {_mm256_blendv_ps(rest.v, _mm256_maskload_ps(p, mask), _mm256_castsi256_ps(mask))};
  }
  ETALON_INLINE void store(float* p) const { _mm256_storeu_ps(p, v); }
  ETALON_INLINE void store(float* p, std::size_t n) const { _mm256_maskstore_ps(p, first(n), v); }
  // kLanes IEEE binary16 numbers at any address; storing rounds to nearest even.
  ETALON_INLINE static Vec load_half(const std::uint16_t* p) {
    return {_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)))};
  }
  ETALON_INLINE void store_half(std::uint16_t* p) const {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
  }
};
struct Mask {
  __m256 m;
};

ETALON_INLINE Vec operator+(Vec a, Vec b) { return {_mm256_add_ps(a.v, b.v)}; }
ETALON_INLINE Vec operator-(Vec a, Vec b) { return {_mm256_sub_ps(a.v, b.v)}; }
ETALON_INLINE Vec operator*(Vec a, Vec b) { return {_mm256_mul_ps(a.v, b.v)}; }
ETALON_INLINE Vec operator/(Vec a, Vec b) { return {_mm256_div_ps(a.v, b.v)}; }
ETALON_INLINE Vec fma(Vec a, Vec b, Vec c) { return {_mm256_fmadd_ps(a.v, b.v, c.v)}; }    // a * b + c
ETALON_INLINE Vec fnma(Vec a, Vec b, Vec c) { return {_mm256_fnmadd_ps(a.v, b.v, c.v)}; }  // c - a * b
// Operand order as in std::max(limit, x): if either is NaN the second operand is returned.
ETALON_INLINE Vec max(Vec a, Vec b) { return {_mm256_max_ps(a.v, b.v)}; }
ETALON_INLINE Vec min(Vec a, Vec b) { return {_mm256_min_ps(a.v, b.v)}; }
ETALON_INLINE Vec abs(Vec a) { return {_mm256_andnot_ps(_mm256_set1_ps(-0.0f), a.v)}; }
ETALON_INLINE Vec sqrt(Vec a) { return {_mm256_sqrt_ps(a.v)}; }
ETALON_INLINE Vec round_even(Vec a) { return {_mm256_round_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)}; }
ETALON_INLINE Vec floor(Vec a) { return {_mm256_floor_ps(a.v)}; }
ETALON_INLINE Vec ceil(Vec a) { return {_mm256_ceil_ps(a.v)}; }
// x * 2^n for an integral-valued n in [-252, 252].
ETALON_INLINE Vec scale_by_power(Vec x, Vec n) {
  const __m256i whole = _mm256_cvtps_epi32(n.v);
  const __m256i half = _mm256_srai_epi32(whole, 1);
  const __m256i rest = _mm256_sub_epi32(whole, half);
  const __m256i bias = _mm256_set1_epi32(127);
  const __m256 a = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(half, bias), 23));
  const __m256 b = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(rest, bias), 23));
  return {_mm256_mul_ps(_mm256_mul_ps(x.v, a), b)};
}
// 1 / x to about 12 bits; refine with a Newton step. Not for x beyond 2^126.
ETALON_INLINE Vec reciprocal_estimate(Vec a) { return {_mm256_rcp_ps(a.v)}; }
ETALON_INLINE Vec copy_sign(Vec magnitude, Vec sign) {
  const __m256 bit = _mm256_set1_ps(-0.0f);
  return {_mm256_or_ps(_mm256_andnot_ps(bit, magnitude.v), _mm256_and_ps(bit, sign.v))};
}
ETALON_INLINE Mask operator<(Vec a, Vec b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_LT_OQ)}; }
ETALON_INLINE Mask operator>(Vec a, Vec b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_GT_OQ)}; }
ETALON_INLINE bool any(Mask m) { return _mm256_movemask_ps(m.m) != 0; }
ETALON_INLINE Mask is_nan(Vec a) { return {_mm256_cmp_ps(a.v, a.v, _CMP_UNORD_Q)}; }
ETALON_INLINE Vec select(Mask m, Vec yes, Vec no) { return {_mm256_blendv_ps(no.v, yes.v, m.m)}; }
// The first `n` lanes; zero in the others.
ETALON_INLINE Vec keep_first(Vec a, std::size_t n) {
  return {_mm256_and_ps(a.v, _mm256_castsi256_ps(Vec::first(n)))};
}
// x = m * 2^exponent with m in [0.75, 1.5), for positive finite x.
ETALON_INLINE Vec split(Vec x, Vec& exponent) {
  const __m256 tiny = _mm256_cmp_ps(x.v, _mm256_set1_ps(0x1p-126f), _CMP_LT_OQ);
  const __m256 normal = _mm256_blendv_ps(x.v, _mm256_mul_ps(x.v, _mm256_set1_ps(0x1p23f)), tiny);
  const __m256i bits = _mm256_castps_si256(normal);
  const __m256i e = _mm256_srai_epi32(_mm256_sub_epi32(bits, _mm256_set1_epi32(0x3f400000)), 23);
  exponent = {_mm256_sub_ps(_mm256_cvtepi32_ps(e), _mm256_and_ps(tiny, _mm256_set1_ps(23.0f)))};
  return {_mm256_castsi256_ps(_mm256_sub_epi32(bits, _mm256_slli_epi32(e, 23)))};
}
ETALON_INLINE float sum(Vec a) {
  __m128 x = _mm_add_ps(_mm256_castps256_ps128(a.v), _mm256_extractf128_ps(a.v, 1));
  x = _mm_add_ps(x, _mm_movehl_ps(x, x));
  return _mm_cvtss_f32(_mm_add_ss(x, _mm_movehdup_ps(x)));
}
ETALON_INLINE float largest(Vec a) {
  __m128 x = _mm_max_ps(_mm256_castps256_ps128(a.v), _mm256_extractf128_ps(a.v, 1));
  x = _mm_max_ps(x, _mm_movehl_ps(x, x));
  return _mm_cvtss_f32(_mm_max_ss(x, _mm_movehdup_ps(x)));
}

// rows[i] lane j becomes rows[j] lane i.
ETALON_INLINE void transpose(Vec (&rows)[8]) {
  __m256 a[8];
#pragma GCC unroll 8
  for (int i = 0; i < 8; i += 2) {
    a[i] = _mm256_unpacklo_ps(rows[i].v, rows[i + 1].v);
    a[i + 1] = _mm256_unpackhi_ps(rows[i].v, rows[i + 1].v);
  }
  __m256 b[8];
#pragma GCC unroll 8
  for (int i = 0; i < 8; i += 4) {  // b[i + k] holds columns k and 4 + k of four rows
    b[i] = _mm256_shuffle_ps(a[i], a[i + 2], 0x44);
    b[i + 1] = _mm256_shuffle_ps(a[i], a[i + 2], 0xEE);
    b[i + 2] = _mm256_shuffle_ps(a[i + 1], a[i + 3], 0x44);
    b[i + 3] = _mm256_shuffle_ps(a[i + 1], a[i + 3], 0xEE);
  }
#pragma GCC unroll 8
  for (int k = 0; k < 4; ++k) {
    rows[k] = {_mm256_permute2f128_ps(b[k], b[k + 4], 0x20)};
    rows[k + 4] = {_mm256_permute2f128_ps(b[k], b[k + 4], 0x31)};
  }
}

}  // namespace
}  // namespace etalon::kernels
