// Vec for AVX-512 (F, BW, DQ, VL): 16 floats. See README.md.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#define ETALON_ISA kAvx512
#define ETALON_ISA_SUFFIX "avx512f"
#define ETALON_INLINE inline __attribute__((always_inline))

namespace etalon::kernels {
namespace {

struct Vec {
  static constexpr std::size_t kLanes = 16;
  static constexpr int kRegisters = 32;
  // Newton steps that bring reciprocal_estimate to full precision.
  static constexpr int kReciprocalSteps = 1;
  __m512 v;

  ETALON_INLINE static Vec zero() { return {_mm512_setzero_ps()}; }
  ETALON_INLINE static Vec of(float x) { return {_mm512_set1_ps(x)}; }
  ETALON_INLINE static Vec load(const float* p) { return {_mm512_loadu_ps(p)}; }
  // The first `n` <= kLanes floats; the rest are zero and not touched in memory.
  ETALON_INLINE static Vec load(const float* p, std::size_t n) {
    return {_mm512_maskz_loadu_ps(_cvtu32_mask16((1u << n) - 1u), p)};
  }
  // The same with the lanes of `rest` after them.
  ETALON_INLINE static Vec load(const float* p, std::size_t n, Vec rest) {
    return {_mm512_mask_loadu_ps(rest.v, _cvtu32_mask16((1u << n) - 1u), p)};
  }
  ETALON_INLINE void store(float* p) const { _mm512_storeu_ps(p, v); }
  ETALON_INLINE void store(float* p, std::size_t n) const {
    _mm512_mask_storeu_ps(p, _cvtu32_mask16((1u << n) - 1u), v);
  }
  // kLanes IEEE binary16 numbers at any address; storing rounds to nearest even.
  ETALON_INLINE static Vec load_half(const std::uint16_t* p) {
    return {_mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)))};
  }
  ETALON_INLINE void store_half(std::uint16_t* p) const {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p),
                        _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
  }
};
struct Mask {
  __mmask16 m;
};

ETALON_INLINE Vec operator+(Vec a, Vec b) { return {_mm512_add_ps(a.v, b.v)}; }
ETALON_INLINE Vec operator-(Vec a, Vec b) { return {_mm512_sub_ps(a.v, b.v)}; }
ETALON_INLINE Vec operator*(Vec a, Vec b) { return {_mm512_mul_ps(a.v, b.v)}; }
ETALON_INLINE Vec operator/(Vec a, Vec b) { return {_mm512_div_ps(a.v, b.v)}; }
ETALON_INLINE Vec fma(Vec a, Vec b, Vec c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }    // a * b + c
ETALON_INLINE Vec fnma(Vec a, Vec b, Vec c) { return {_mm512_fnmadd_ps(a.v, b.v, c.v)}; }  // c - a * b
// Operand order as in std::max(limit, x): if either is NaN the second operand is returned.
ETALON_INLINE Vec max(Vec a, Vec b) { return {_mm512_max_ps(a.v, b.v)}; }
ETALON_INLINE Vec min(Vec a, Vec b) { return {_mm512_min_ps(a.v, b.v)}; }
ETALON_INLINE Vec abs(Vec a) { return {_mm512_abs_ps(a.v)}; }
ETALON_INLINE Vec sqrt(Vec a) { return {_mm512_sqrt_ps(a.v)}; }
ETALON_INLINE Vec round_even(Vec a) { return {_mm512_roundscale_ps(a.v, _MM_FROUND_TO_NEAREST_INT)}; }
ETALON_INLINE Vec floor(Vec a) { return {_mm512_roundscale_ps(a.v, _MM_FROUND_TO_NEG_INF)}; }
ETALON_INLINE Vec ceil(Vec a) { return {_mm512_roundscale_ps(a.v, _MM_FROUND_TO_POS_INF)}; }
// x * 2^n for an integral-valued n in [-252, 252].
ETALON_INLINE Vec scale_by_power(Vec x, Vec n) { return {_mm512_scalef_ps(x.v, n.v)}; }
// 1 / x to about 14 bits; refine with one Newton step for full precision. Not for x beyond 2^126.
ETALON_INLINE Vec reciprocal_estimate(Vec a) { return {_mm512_rcp14_ps(a.v)}; }
ETALON_INLINE Vec copy_sign(Vec magnitude, Vec sign) {
  return {_mm512_castsi512_ps(_mm512_ternarylogic_epi32(_mm512_castps_si512(magnitude.v), _mm512_castps_si512(sign.v),
                                                        _mm512_set1_epi32(static_cast<int>(0x80000000u)), 0xD8))};
}
ETALON_INLINE Mask operator<(Vec a, Vec b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_LT_OQ)}; }
ETALON_INLINE Mask operator>(Vec a, Vec b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_GT_OQ)}; }
ETALON_INLINE bool any(Mask m) { return _cvtmask16_u32(m.m) != 0; }
ETALON_INLINE Mask is_nan(Vec a) { return {_mm512_cmp_ps_mask(a.v, a.v, _CMP_UNORD_Q)}; }
ETALON_INLINE Vec select(Mask m, Vec yes, Vec no) { return {_mm512_mask_blend_ps(m.m, no.v, yes.v)}; }
// The first `n` lanes; zero in the others.
ETALON_INLINE Vec keep_first(Vec a, std::size_t n) {
  return {_mm512_maskz_mov_ps(_cvtu32_mask16((1u << n) - 1u), a.v)};
}
// x = m * 2^exponent with m in [0.75, 1.5), for positive finite x.
ETALON_INLINE Vec split(Vec x, Vec& exponent) {
  const __m512 m = _mm512_getmant_ps(x.v, _MM_MANT_NORM_p75_1p5, _MM_MANT_SIGN_zero);
  const __m512 e = _mm512_getexp_ps(x.v);
  const __m512 one = _mm512_set1_ps(1.0f);
  exponent = {_mm512_mask_add_ps(e, _mm512_cmp_ps_mask(m, one, _CMP_LT_OQ), e, one)};
  return {m};
}
ETALON_INLINE float sum(Vec a) { return _mm512_reduce_add_ps(a.v); }
ETALON_INLINE float largest(Vec a) { return _mm512_reduce_max_ps(a.v); }

// rows[i] lane j becomes rows[j] lane i.
ETALON_INLINE void transpose(Vec (&rows)[16]) {
  __m512 a[16];
#pragma GCC unroll 16
  for (int i = 0; i < 16; i += 2) {  // pairs of rows, one element of each side by side
    a[i] = _mm512_unpacklo_ps(rows[i].v, rows[i + 1].v);
    a[i + 1] = _mm512_unpackhi_ps(rows[i].v, rows[i + 1].v);
  }
  __m512 b[16];
#pragma GCC unroll 16
  for (int i = 0; i < 16; i += 4) {  // four rows in every 128 bits: b[i + k] holds columns k, 4 + k, 8 + k, 12 + k
    b[i] = _mm512_shuffle_ps(a[i], a[i + 2], 0x44);
    b[i + 1] = _mm512_shuffle_ps(a[i], a[i + 2], 0xEE);
    b[i + 2] = _mm512_shuffle_ps(a[i + 1], a[i + 3], 0x44);
    b[i + 3] = _mm512_shuffle_ps(a[i + 1], a[i + 3], 0xEE);
  }
#pragma GCC unroll 16
  for (int k = 0; k < 4; ++k) {  // then a 4x4 transposition of 128-bit blocks
    const __m512 low01 = _mm512_shuffle_f32x4(b[k], b[k + 4], 0x44);
    const __m512 low23 = _mm512_shuffle_f32x4(b[k], b[k + 4], 0xEE);
    const __m512 high01 = _mm512_shuffle_f32x4(b[k + 8], b[k + 12], 0x44);
    const __m512 high23 = _mm512_shuffle_f32x4(b[k + 8], b[k + 12], 0xEE);
    rows[k] = {_mm512_shuffle_f32x4(low01, high01, 0x88)};
    rows[k + 4] = {_mm512_shuffle_f32x4(low01, high01, 0xDD)};
    rows[k + 8] = {_mm512_shuffle_f32x4(low23, high23, 0x88)};
    rows[k + 12] = {_mm512_shuffle_f32x4(low23, high23, 0xDD)};
  }
}

}  // namespace
}  // namespace etalon::kernels
