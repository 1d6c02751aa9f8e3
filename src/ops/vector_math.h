// Transcendental functions on float, written so that a loop over them vectorises on any CPU: no branches, no
// tables, no calls. Rounding is exact; the others are at most 2 units in the last place from the exact value
// over the whole range (vector_math_test.cc). NaN, infinities, overflow and subnormal results are those of
// the C library.
//
// The polynomials are minimax fits of this project.
#pragma once

#include <bit>
#include <cstdint>

namespace etalon::ops {
namespace internal {

// x = n * ln 2 + r with |r| <= ln 2 / 2, for |x| < 200.
struct Reduced {
  std::int32_t n;
  float r;
};

inline Reduced reduce_by_ln2(float x) {
  constexpr float kLog2e = 1.44269504f;
  // Adding 1.5 * 2^23 leaves the rounded integer in the low mantissa bits.
  constexpr float kShift = 12582912.0f;
  // ln 2 in two parts; the product of the first with a small integer is exact.
  constexpr float kLn2High = 0.693359375f;
  constexpr float kLn2Low = -2.12194440e-4f;
  const float shifted = x * kLog2e + kShift;
  const float n = shifted - kShift;
  const std::int32_t bits = std::bit_cast<std::int32_t>(shifted) - std::bit_cast<std::int32_t>(kShift);
  return {bits, (x - n * kLn2High) - n * kLn2Low};
}

// exp(r) - 1 for |r| <= ln 2 / 2.
inline float expm1_reduced(float r) {
  float p = 0.000199193804f;
  p = p * r + 0.00139472249f;
  p = p * r + 0.00833326299f;
  p = p * r + 0.0416662544f;
  p = p * r + 0.166666672f;
  p = p * r + 0.5f;
  return r + r * r * p;
}

inline float power_of_two(std::int32_t n) { return std::bit_cast<float>((n + 127) << 23); }

// Clamps but lets NaN through.
inline float clamp_keeping_nan(float x, float low, float high) {
  const float raised = x < low ? low : x;
  return raised > high ? high : raised;
}

inline float with_sign_of(float magnitude, float sign) {
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(magnitude) |
                              (std::bit_cast<std::uint32_t>(sign) & 0x80000000u));
}
inline float magnitude_of(float x) {
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(x) & 0x7fffffffu);
}

}  // namespace internal

// Rounding without the instruction that baseline x86-64 lacks: from 2^23 on every float is an integer.
inline float round_even_f32(float x) {
  constexpr float kIntegersFrom = 8388608.0f;
  const float t = internal::magnitude_of(x);
  const float rounded = (t + kIntegersFrom) - kIntegersFrom;
  return internal::with_sign_of(t < kIntegersFrom ? rounded : t, x);
}
inline float floor_f32(float x) {
  const float rounded = round_even_f32(x);
  return rounded > x ? rounded - 1.0f : rounded;
}
inline float ceil_f32(float x) {
  const float rounded = round_even_f32(x);
  return internal::with_sign_of(internal::magnitude_of(rounded < x ? rounded + 1.0f : rounded), x);
}
inline float trunc_f32(float x) { return internal::with_sign_of(floor_f32(internal::magnitude_of(x)), x); }

inline float exp_f32(float x) {
  const auto [n, r] = internal::reduce_by_ln2(internal::clamp_keeping_nan(x, -104.0f, 89.0f));
  // Two factors, because 2^n itself may overflow or be subnormal where the result is neither.
  const std::int32_t half = n >> 1;
  return (1.0f + internal::expm1_reduced(r)) * internal::power_of_two(half) *
         internal::power_of_two(n - half);
}

namespace internal {

// exp where its argument is known to lie in [-87, 88] or to be NaN: half the work.
inline float exp_bounded(float x) {
  const auto [n, r] = reduce_by_ln2(x);
  return (1.0f + expm1_reduced(r)) * power_of_two(n);
}

}  // namespace internal

inline float expm1_f32(float x) {
  const auto [n, r] = internal::reduce_by_ln2(internal::clamp_keeping_nan(x, -40.0f, 40.0f));
  const float scale = internal::power_of_two(n);
  const float near = scale * internal::expm1_reduced(r) + (scale - 1.0f);
  const float far = exp_f32(x);
  return x > 40.0f ? far : near;
}

// Beyond -87, where the result is below 2e-38, it is zero.
inline float sigmoid_f32(float x) {
  const float exp = internal::exp_bounded(internal::clamp_keeping_nan(-x, -87.0f, 89.0f));
  return 1.0f / (1.0f + exp);
}

inline float tanh_f32(float x) {
  const float t = internal::magnitude_of(x);
  const float u = x * x;
  float p = -0.00552862464f;
  p = p * u + 0.0204833057f;
  p = p * u - 0.053692963f;
  p = p * u + 0.133308992f;
  p = p * u - 0.333332628f;
  const float near = t + t * (u * p);
  const float c = t > 10.0f ? 10.0f : t;  // tanh rounds to one from 9.1 on
  const float far = 1.0f - 2.0f / (1.0f + internal::exp_bounded(c + c));
  return internal::with_sign_of(t < 0.65f ? near : far, x);
}

inline float erf_f32(float x) {
  const float t = internal::magnitude_of(x);
  const float u = x * x;
  float p = 8.34522507e-05f;
  p = p * u - 0.00081374374f;
  p = p * u + 0.00520063424f;
  p = p * u - 0.0268592704f;
  p = p * u + 0.112836942f;
  p = p * u - 0.376126349f;
  // 2 / sqrt(pi) less one, so that the leading term is exact.
  p = p * u + 0.128379167f;
  const float near = x + x * p;

  // -log(erfc(t)); erf rounds to one from 4 on.
  const float c = t > 4.0f ? 4.0f : t;
  float q = -0.000195938264f;
  q = q * c + 0.00304322666f;
  q = q * c - 0.0222269557f;
  q = q * c + 0.103931665f;
  q = q * c + 0.637182176f;
  q = q * c + 1.12767565f;
  q = q * c + 0.000195666522f;
  const float far = 1.0f - internal::exp_bounded(-q);
  return t < 0.93f ? near : internal::with_sign_of(far, x);
}

}  // namespace etalon::ops
