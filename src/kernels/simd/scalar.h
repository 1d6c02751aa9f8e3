// Vec for machines about which nothing is known: 1 float. See README.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#define ETALON_ISA kScalar
#define ETALON_ISA_SUFFIX "scalar"
#define ETALON_INLINE inline __attribute__((always_inline))

namespace etalon::kernels {
namespace {

struct Vec {
  static constexpr std::size_t kLanes = 1;
  static constexpr int kRegisters = 16;
  // Newton steps that bring reciprocal_estimate to full precision.
  static constexpr int kReciprocalSteps = 0;
  float v;

  ETALON_INLINE static Vec zero() { return {0.0f}; }
  ETALON_INLINE static Vec of(float x) { return {x}; }
  ETALON_INLINE static Vec load(const float* p) { return {*p}; }
  // The first `n` <= kLanes floats; the rest are zero and not touched in memory.
  ETALON_INLINE static Vec load(const float* p, std::size_t n) { return {n == 0 ? 0.0f : *p}; }
  // The same with the lanes of `rest` after them.
  ETALON_INLINE static Vec load(const float* p, std::size_t n, Vec rest) { return {n == 0 ? rest.v : *p}; }
  ETALON_INLINE void store(float* p) const { *p = v; }
  ETALON_INLINE void store(float* p, std::size_t n) const {
    if (n != 0) *p = v;
  }
  // kLanes IEEE binary16 numbers at any address; storing rounds to nearest even.
  ETALON_INLINE static Vec load_half(const std::uint16_t* p) {
    std::uint16_t h;
    std::memcpy(&h, p, sizeof h);
    const std::uint32_t sign = static_cast<std::uint32_t>(h & 0x8000u) << 16, magnitude = h & 0x7fffu;
    std::uint32_t bits = magnitude << 13;
    if (magnitude >= 0x7c00u) {
      bits += 0x70000000u;
    } else if (magnitude >= 0x400u) {
      bits += 0x38000000u;
    } else {  // a multiple of 2^-24
      const float small = static_cast<float>(magnitude) * 0x1p-24f;
      std::memcpy(&bits, &small, sizeof bits);
    }
    bits |= sign;
    float out;
    std::memcpy(&out, &bits, sizeof out);
    return {out};
  }
  ETALON_INLINE void store_half(std::uint16_t* p) const {
    std::uint32_t bits;
    std::memcpy(&bits, &v, sizeof bits);
    const std::uint32_t sign = (bits >> 16) & 0x8000u, magnitude = bits & 0x7fffffffu;
    std::uint32_t h;
    if (magnitude > 0x7f800000u) {
      h = 0x7e00u;
    } else if (magnitude >= 0x477ff000u) {
      h = 0x7c00u;
    } else if (magnitude < 0x38800000u) {  // the last place of the sum with 0.5 is that of a subnormal number
      const float sum = __builtin_fabsf(v) + 0.5f;
      std::memcpy(&h, &sum, sizeof h);
      h -= 0x3f000000u;
    } else {
      h = (magnitude - 0x38000000u + 0xfffu + ((magnitude >> 13) & 1u)) >> 13;
    }
    const auto out = static_cast<std::uint16_t>(sign | h);
    std::memcpy(p, &out, sizeof out);
  }
};
struct Mask {
  bool m;
};

ETALON_INLINE Vec operator+(Vec a, Vec b) { return {a.v + b.v}; }
ETALON_INLINE Vec operator-(Vec a, Vec b) { return {a.v - b.v}; }
ETALON_INLINE Vec operator*(Vec a, Vec b) { return {a.v * b.v}; }
ETALON_INLINE Vec operator/(Vec a, Vec b) { return {a.v / b.v}; }
ETALON_INLINE Vec fma(Vec a, Vec b, Vec c) { return {a.v * b.v + c.v}; }   // a * b + c, rounded twice
ETALON_INLINE Vec fnma(Vec a, Vec b, Vec c) { return {c.v - a.v * b.v}; }  // c - a * b
ETALON_INLINE Vec select(Mask m, Vec yes, Vec no) { return m.m ? yes : no; }
ETALON_INLINE Mask operator<(Vec a, Vec b) { return {a.v < b.v}; }
ETALON_INLINE Mask operator>(Vec a, Vec b) { return {a.v > b.v}; }
ETALON_INLINE bool any(Mask m) { return m.m; }
ETALON_INLINE Mask is_nan(Vec a) { return {a.v != a.v}; }
// Operand order as in std::max(limit, x): if either is NaN the second operand is returned.
ETALON_INLINE Vec max(Vec a, Vec b) { return {a.v > b.v ? a.v : b.v}; }
ETALON_INLINE Vec min(Vec a, Vec b) { return {a.v < b.v ? a.v : b.v}; }
ETALON_INLINE Vec abs(Vec a) { return {__builtin_fabsf(a.v)}; }
ETALON_INLINE Vec sqrt(Vec a) { return {__builtin_sqrtf(a.v)}; }
ETALON_INLINE Vec round_even(Vec a) { return {__builtin_rintf(a.v)}; }
ETALON_INLINE Vec floor(Vec a) { return {__builtin_floorf(a.v)}; }
ETALON_INLINE Vec ceil(Vec a) { return {__builtin_ceilf(a.v)}; }
// x * 2^n for an integral-valued n in [-252, 252].
ETALON_INLINE Vec scale_by_power(Vec x, Vec n) {
  const std::int32_t whole = n.v == n.v ? static_cast<std::int32_t>(n.v) : 0;
  const std::int32_t half = whole >> 1;
  const auto power = [](std::int32_t e) {
    const std::uint32_t bits = static_cast<std::uint32_t>(e + 127) << 23;
    float out;
    std::memcpy(&out, &bits, sizeof out);
    return out;
  };
  return {x.v * power(half) * power(whole - half)};
}
ETALON_INLINE Vec reciprocal_estimate(Vec a) { return {1.0f / a.v}; }
ETALON_INLINE Vec copy_sign(Vec magnitude, Vec sign) { return {__builtin_copysignf(magnitude.v, sign.v)}; }
// The first `n` lanes; zero in the others.
ETALON_INLINE Vec keep_first(Vec a, std::size_t n) { return {n == 0 ? 0.0f : a.v}; }
// x = m * 2^exponent with m in [0.75, 1.5), for positive finite x.
ETALON_INLINE Vec split(Vec x, Vec& exponent) {
  const bool tiny = x.v < 0x1p-126f;
  const float normal = tiny ? x.v * 0x1p23f : x.v;
  std::uint32_t bits;
  std::memcpy(&bits, &normal, sizeof bits);
  const std::int32_t e = static_cast<std::int32_t>(bits - 0x3f400000u) >> 23;
  exponent = {static_cast<float>(e) - (tiny ? 23.0f : 0.0f)};
  bits -= static_cast<std::uint32_t>(e) << 23;
  float m;
  std::memcpy(&m, &bits, sizeof m);
  return {m};
}
ETALON_INLINE float sum(Vec a) { return a.v; }
ETALON_INLINE float largest(Vec a) { return a.v; }

ETALON_INLINE void transpose(Vec (&)[1]) {}  // rows[i] lane j becomes rows[j] lane i

}  // namespace
}  // namespace etalon::kernels
