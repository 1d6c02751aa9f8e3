// Vec for AArch64 Advanced SIMD: 4 floats. See README.md.
#pragma once

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>

#define ETALON_ISA kNeon
#define ETALON_ISA_SUFFIX "neon"
#define ETALON_INLINE inline __attribute__((always_inline))

namespace etalon::kernels {
namespace {

struct Vec {
  static constexpr std::size_t kLanes = 4;
  static constexpr int kRegisters = 32;
  // Newton steps that bring reciprocal_estimate to full precision.
  static constexpr int kReciprocalSteps = 1;
  float32x4_t v;

  ETALON_INLINE static Vec zero() { return {vdupq_n_f32(0)}; }
  ETALON_INLINE static Vec of(float x) { return {vdupq_n_f32(x)}; }
  ETALON_INLINE static Vec load(const float* p) { return {vld1q_f32(p)}; }
  // The first `n` <= kLanes floats; the rest are zero and not touched in memory.
  ETALON_INLINE static Vec load(const float* p, std::size_t n) {
    if (n == kLanes) return load(p);
    float lanes[kLanes] = {};
    for (std::size_t i = 0; i < n; ++i) lanes[i] = p[i];
    return load(lanes);
  }
  // The same with the lanes of `rest` after them.
  ETALON_INLINE static Vec load(const float* p, std::size_t n, Vec rest) {
    if (n == kLanes) return load(p);
    float lanes[kLanes];
    rest.store(lanes);
    for (std::size_t i = 0; i < n; ++i) lanes[i] = p[i];
    return load(lanes);
  }
  ETALON_INLINE void store(float* p) const { vst1q_f32(p, v); }
  ETALON_INLINE void store(float* p, std::size_t n) const {
    if (n == kLanes) return store(p);
    float lanes[kLanes];
    store(lanes);
    for (std::size_t i = 0; i < n; ++i) p[i] = lanes[i];
  }
  // kLanes IEEE binary16 numbers at any address; storing rounds to nearest even.
  ETALON_INLINE static Vec load_half(const std::uint16_t* p) {
    return {vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(reinterpret_cast<const std::uint8_t*>(p))))};
  }
  ETALON_INLINE void store_half(std::uint16_t* p) const {
    vst1_u8(reinterpret_cast<std::uint8_t*>(p), vreinterpret_u8_f16(vcvt_f16_f32(v)));
  }
};
struct Mask {
  uint32x4_t m;
};

ETALON_INLINE Vec operator+(Vec a, Vec b) { return {vaddq_f32(a.v, b.v)}; }
ETALON_INLINE Vec operator-(Vec a, Vec b) { return {vsubq_f32(a.v, b.v)}; }
ETALON_INLINE Vec operator*(Vec a, Vec b) { return {vmulq_f32(a.v, b.v)}; }
ETALON_INLINE Vec operator/(Vec a, Vec b) { return {vdivq_f32(a.v, b.v)}; }
ETALON_INLINE Vec fma(Vec a, Vec b, Vec c) { return {vfmaq_f32(c.v, a.v, b.v)}; }    // a * b + c
ETALON_INLINE Vec fnma(Vec a, Vec b, Vec c) { return {vfmsq_f32(c.v, a.v, b.v)}; }  // c - a * b
ETALON_INLINE Vec select(Mask m, Vec yes, Vec no) { return {vbslq_f32(m.m, yes.v, no.v)}; }
ETALON_INLINE Mask operator<(Vec a, Vec b) { return {vcltq_f32(a.v, b.v)}; }
ETALON_INLINE Mask operator>(Vec a, Vec b) { return {vcgtq_f32(a.v, b.v)}; }
ETALON_INLINE bool any(Mask m) { return vmaxvq_u32(m.m) != 0; }
ETALON_INLINE Mask is_nan(Vec a) { return {vmvnq_u32(vceqq_f32(a.v, a.v))}; }
// Operand order as in std::max(limit, x): if either is NaN the second operand is returned.
ETALON_INLINE Vec max(Vec a, Vec b) { return select(a > b, a, b); }
ETALON_INLINE Vec min(Vec a, Vec b) { return select(a < b, a, b); }
ETALON_INLINE Vec abs(Vec a) { return {vabsq_f32(a.v)}; }
ETALON_INLINE Vec sqrt(Vec a) { return {vsqrtq_f32(a.v)}; }
ETALON_INLINE Vec round_even(Vec a) { return {vrndnq_f32(a.v)}; }
ETALON_INLINE Vec floor(Vec a) { return {vrndmq_f32(a.v)}; }
ETALON_INLINE Vec ceil(Vec a) { return {vrndpq_f32(a.v)}; }
// x * 2^n for an integral-valued n in [-252, 252].
ETALON_INLINE Vec scale_by_power(Vec x, Vec n) {
  const int32x4_t whole = vcvtq_s32_f32(n.v);
  const int32x4_t half = vshrq_n_s32(whole, 1);
  const int32x4_t rest = vsubq_s32(whole, half);
  const int32x4_t bias = vdupq_n_s32(127);
  const float32x4_t a = vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(half, bias), 23));
  const float32x4_t b = vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(rest, bias), 23));
  return {vmulq_f32(vmulq_f32(x.v, a), b)};
}
// 1 / x to about 12 bits; refine with a Newton step. Not for x beyond 2^126.
ETALON_INLINE Vec reciprocal_estimate(Vec a) {
  const float32x4_t r = vrecpeq_f32(a.v);
  return {vmulq_f32(r, vrecpsq_f32(a.v, r))};
}
ETALON_INLINE Vec copy_sign(Vec magnitude, Vec sign) {
  return {vbslq_f32(vdupq_n_u32(0x80000000u), sign.v, magnitude.v)};
}
// The first `n` lanes; zero in the others.
ETALON_INLINE Vec keep_first(Vec a, std::size_t n) {
  constexpr std::uint32_t kIndex[4] = {0, 1, 2, 3};
  const uint32x4_t kept = vcltq_u32(vld1q_u32(kIndex), vdupq_n_u32(static_cast<std::uint32_t>(n)));
  return {vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(a.v), kept))};
}
// x = m * 2^exponent with m in [0.75, 1.5), for positive finite x.
ETALON_INLINE Vec split(Vec x, Vec& exponent) {
  const uint32x4_t tiny = vcltq_f32(x.v, vdupq_n_f32(0x1p-126f));
  const float32x4_t normal = vbslq_f32(tiny, vmulq_n_f32(x.v, 0x1p23f), x.v);
  const int32x4_t bits = vreinterpretq_s32_f32(normal);
  const int32x4_t e = vshrq_n_s32(vsubq_s32(bits, vdupq_n_s32(0x3f400000)), 23);
  const uint32x4_t shift = vandq_u32(tiny, vreinterpretq_u32_f32(vdupq_n_f32(23.0f)));
  exponent = {vsubq_f32(vcvtq_f32_s32(e), vreinterpretq_f32_u32(shift))};
  return {vreinterpretq_f32_s32(vsubq_s32(bits, vshlq_n_s32(e, 23)))};
}
ETALON_INLINE float sum(Vec a) { return vaddvq_f32(a.v); }
ETALON_INLINE float largest(Vec a) { return vmaxvq_f32(a.v); }

// rows[i] lane j becomes rows[j] lane i.
ETALON_INLINE void transpose(Vec (&rows)[4]) {
  const float64x2_t a = vreinterpretq_f64_f32(vtrn1q_f32(rows[0].v, rows[1].v));
  const float64x2_t b = vreinterpretq_f64_f32(vtrn2q_f32(rows[0].v, rows[1].v));
  const float64x2_t c = vreinterpretq_f64_f32(vtrn1q_f32(rows[2].v, rows[3].v));
  const float64x2_t d = vreinterpretq_f64_f32(vtrn2q_f32(rows[2].v, rows[3].v));
  rows[0] = {vreinterpretq_f32_f64(vtrn1q_f64(a, c))};
  rows[1] = {vreinterpretq_f32_f64(vtrn1q_f64(b, d))};
  rows[2] = {vreinterpretq_f32_f64(vtrn2q_f64(a, c))};
  rows[3] = {vreinterpretq_f32_f64(vtrn2q_f64(b, d))};
}

}  // namespace
}  // namespace etalon::kernels
