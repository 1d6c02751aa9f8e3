// Elementary functions on Vec, for every kernel that ends in an activation. Include one kernels/simd/<isa>.h first.
//
// Errors are the largest against exact arithmetic over all floats (one in 61 was tried), in units in the last place (ulp)
// of the result; the second number is for machines without FMA. NaN gives NaN everywhere.
#pragma once

#include <cstddef>

#include "kernels/epilogue.h"

namespace etalon::kernels {
namespace {

// NaN passes through.
ETALON_INLINE Vec clamp(Vec x, Vec low, Vec high) { return min(high, max(low, x)); }

// Nearest integer for |x| < 2^22: adding 1.5 * 2^23 leaves no room for a fraction.
ETALON_INLINE Vec round_small(Vec x) {
  const Vec magic = Vec::of(12582912.0f);
  return (x + magic) - magic;
}

// 1 / x for normal x below 2^126: 0.6 ulp.
ETALON_INLINE Vec reciprocal(Vec x) {
  Vec r = reciprocal_estimate(x);
#pragma GCC unroll 2
  for (int step = 0; step < Vec::kReciprocalSteps; ++step) r = fma(r, fnma(x, r, Vec::of(1.0f)), r);
  return r;
}

// x = n * ln 2 + r with |r| <= ln 2 / 2. The first part of ln 2 has so few bits that n times it is exact.
ETALON_INLINE Vec reduce_by_ln2(Vec x, Vec& n) {
  n = round_small(x * Vec::of(1.44269504f));
  return fnma(n, Vec::of(-2.12194440e-4f), fnma(n, Vec::of(0.693359375f), x));
}
// (exp(r) - 1 - r) / r^2 for |r| <= ln 2 / 2; minimax, 1.3e-8 of exp(r) - 1.
ETALON_INLINE Vec exp_tail(Vec r) {
  Vec p = fma(Vec::of(0.001388251781463623f), r, Vec::of(0.008366547524929047f));
  p = fma(p, r, Vec::of(0.04166720062494278f));
  p = fma(p, r, Vec::of(0.1666654348373413f));
  return fma(p, r, Vec::of(0.4999999701976776f));
}
ETALON_INLINE Vec exp_clamped(Vec x) {
  Vec n;
  const Vec r = reduce_by_ln2(x, n);
  return scale_by_power(fma(fma(exp_tail(r), r, Vec::of(1.0f)), r, Vec::of(1.0f)), n);
}
// 0.91 ulp (1.18), subnormal results included; beyond the limits the result is zero or infinity.
ETALON_INLINE Vec exp(Vec x) { return exp_clamped(clamp(x, Vec::of(-104.0f), Vec::of(89.0f))); }
// For x <= 0, such as x minus the row's largest.
ETALON_INLINE Vec exp_nonpositive(Vec x) { return exp_clamped(max(Vec::of(-104.0f), x)); }

// exp(x) - 1 for x <= 0: 0.94 ulp (1.05).
ETALON_INLINE Vec expm1_nonpositive(Vec x) {
  Vec n;
  const Vec r = reduce_by_ln2(max(Vec::of(-104.0f), x), n);
  const Vec small = fma(exp_tail(r) * r, r, r);
  const Vec power = scale_by_power(Vec::of(1.0f), n);
  return fma(power, small, power - Vec::of(1.0f));
}

// A division takes no longer than the estimate and its Newton step, and rounds once.
ETALON_INLINE Vec sigmoid(Vec x) {
  const Vec e = exp_nonpositive(Vec::zero() - abs(x));
  return select(x < Vec::zero(), e, Vec::of(1.0f)) / (Vec::of(1.0f) + e);
}
// x / (1 + exp(-x)): 3.2 ulp (3.5).
ETALON_INLINE Vec silu(Vec x) { return x * sigmoid(x); }

// (1 - exp(-2|x|)) / (1 + exp(-2|x|)) with the sign of x: 3.0 ulp.
ETALON_INLINE Vec tanh(Vec x) {
  const Vec e = expm1_nonpositive(Vec::of(-2.0f) * abs(x));
  return copy_sign(e / (e + Vec::of(2.0f)), x);
}

// The standard normal distribution up to x: absolute error 1.8e-7 (3e-7), exactly zero below -5.3.
// A minimax rational function.
ETALON_INLINE Vec normal_distribution(Vec x) {
  const Vec limit = Vec::of(5.3f);
  const Vec c = clamp(x, Vec::of(-5.3f), limit);
  const Vec y = c * c;
  Vec p = fma(Vec::of(2.405036703123642e-08f), y, Vec::of(6.379058504535351e-06f));
  Vec q = fma(Vec::of(1.2371700677249464e-06f), y, Vec::of(7.135210034903139e-05f));
  p = fma(p, y, Vec::of(0.0001603337877895683f));
  q = fma(q, y, Vec::of(0.0018365675350651145f));
  p = fma(p, y, Vec::of(0.004627989139407873f));
  q = fma(q, y, Vec::of(0.02813878282904625f));
  p = fma(p, y, Vec::of(0.03293570876121521f));
  q = fma(q, y, Vec::of(0.24922381341457367f));
  p = fma(p, y, Vec::of(0.3989422619342804f));
  q = fma(q, y, Vec::of(1.0f));
  return select(x < Vec::of(-5.3f), Vec::zero(), c * p / q + Vec::of(0.5f));
}
// x times the above: the erf form.
ETALON_INLINE Vec gelu(Vec x) { return x * normal_distribution(x); }

// The tanh form, x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3))), in which the tanh is a sigmoid: 3e-7 of |x|.
ETALON_INLINE Vec approximate_gelu(Vec x) {
  const Vec inner = fma(Vec::of(0.0713548163f) * x, x * x, Vec::of(1.59576912f) * x);
  return x * sigmoid(inner);
}

ETALON_INLINE Vec hardsigmoid(Vec x) {
  return clamp(x + Vec::of(3.0f), Vec::zero(), Vec::of(6.0f)) * Vec::of(1.0f / 6.0f);
}
// 2.5 ulp.
ETALON_INLINE Vec hardswish(Vec x) { return x * hardsigmoid(x); }

ETALON_INLINE Vec leaky_relu(Vec x, Vec alpha) { return select(x < Vec::zero(), alpha * x, x); }
ETALON_INLINE Vec elu(Vec x, Vec alpha) {
  return select(x < Vec::zero(), alpha * expm1_nonpositive(min(Vec::zero(), x)), x);
}

// Natural logarithm: 0.9 ulp, subnormal arguments included.
ETALON_INLINE Vec log(Vec x) {
  Vec n;
  const Vec f = split(x, n) - Vec::of(1.0f);
  Vec p = fma(Vec::of(-0.04507480189204216f), f, Vec::of(0.10463018715381622f));
  p = fma(p, f, Vec::of(-0.1316118985414505f));
  p = fma(p, f, Vec::of(0.14478394389152527f));
  p = fma(p, f, Vec::of(-0.1664731204509735f));
  p = fma(p, f, Vec::of(0.19990861415863037f));
  p = fma(p, f, Vec::of(-0.2500009536743164f));
  p = fma(p, f, Vec::of(0.3333345055580139f));
  const Vec square = f * f;
  Vec tail = fma(p * f, square, n * Vec::of(-2.12194440e-4f));
  tail = fma(Vec::of(-0.5f), square, tail);
  const Vec regular = fma(n, Vec::of(0.693359375f), f + tail);
  const Vec infinity = Vec::of(__builtin_inff());
  Vec out = select(x < infinity, regular, x);  // infinity and NaN give themselves
  out = select(x > Vec::zero(), out, select(x < Vec::zero(), Vec::of(__builtin_nanf("")), x - infinity));
  return out;
}

// A sine or cosine of |x| <= 1e5, 1.9 ulp: x = n * pi / 2 + r, and n chooses the function and the sign. Needs real FMAs: the
// products of n and the parts of pi / 2 are not exact.
ETALON_INLINE Vec sine_polynomial(Vec x, bool cosine) {
  const Vec n = round_small(x * Vec::of(0.636619772f));
  Vec r = fnma(n, Vec::of(1.57079637050628662109375f), x);
  r = fnma(n, Vec::of(-4.37113900018624283e-8f), r);
  r = fnma(n, Vec::of(-1.71512e-15f), r);
  const Vec quarter = cosine ? n + Vec::of(1.0f) : n;
  const Vec half = quarter * Vec::of(0.5f);
  const Vec turns = floor(half) * Vec::of(0.5f);
  const Vec y = r * r;
  Vec s = fma(Vec::of(2.7180840334040113e-06f), y, Vec::of(-0.0001983930851565674f));
  s = fma(s, y, Vec::of(0.008333329111337662f));
  s = fma(s, y, Vec::of(-0.1666666716337204f));
  s = fma(s * y, r, r);
  Vec c = fma(Vec::of(2.479945578670595e-05f), y, Vec::of(-0.0013888883404433727f));
  c = fma(c, y, Vec::of(0.0416666679084301f));
  c = fma(c * y, y, fma(Vec::of(-0.5f), y, Vec::of(1.0f)));
  const Vec value = select(half > floor(half), c, s);
  return select(turns > floor(turns), Vec::zero() - value, value);
}
// The C library, element by element: for arguments that are too large for the above.
__attribute__((noinline, unused)) Vec sine_of_each(Vec x, bool cosine) {
  float lanes[Vec::kLanes];
  x.store(lanes);
  for (float& lane : lanes) lane = cosine ? __builtin_cosf(lane) : __builtin_sinf(lane);
  return Vec::load(lanes);
}
ETALON_INLINE Vec sine_or_cosine(Vec x, bool cosine) {
  if (Vec::kLanes == 1 || any(abs(x) > Vec::of(1e5f))) return sine_of_each(x, cosine);
  return sine_polynomial(x, cosine);
}
ETALON_INLINE Vec sin(Vec x) { return sine_or_cosine(x, false); }
ETALON_INLINE Vec cos(Vec x) { return sine_or_cosine(x, true); }

template <Activation kActivation>
ETALON_INLINE Vec activate(Vec x, Vec alpha) {
  if constexpr (kActivation == Activation::kHardswish) return hardswish(x);
  if constexpr (kActivation == Activation::kHardsigmoid) return hardsigmoid(x);
  if constexpr (kActivation == Activation::kSigmoid) return sigmoid(x);
  if constexpr (kActivation == Activation::kSilu) return silu(x);
  if constexpr (kActivation == Activation::kGelu) return gelu(x);
  if constexpr (kActivation == Activation::kTanh) return tanh(x);
  if constexpr (kActivation == Activation::kLeakyRelu) return leaky_relu(x, alpha);
  if constexpr (kActivation == Activation::kElu) return elu(x, alpha);
  return x;
}

template <Activation kActivation>
struct ActivationTag {
  static constexpr Activation kValue = kActivation;
};
// body(ActivationTag<activation>{}): one switch outside of a loop instead of one per register. In the body,
// `activate<decltype(tag)::kValue>(x, alpha)`.
template <class Body>
ETALON_INLINE void with_activation(Activation activation, const Body& body) {
  switch (activation) {
    case Activation::kNone: return body(ActivationTag<Activation::kNone>{});
    case Activation::kHardswish: return body(ActivationTag<Activation::kHardswish>{});
    case Activation::kHardsigmoid: return body(ActivationTag<Activation::kHardsigmoid>{});
    case Activation::kSigmoid: return body(ActivationTag<Activation::kSigmoid>{});
    case Activation::kSilu: return body(ActivationTag<Activation::kSilu>{});
    case Activation::kGelu: return body(ActivationTag<Activation::kGelu>{});
    case Activation::kTanh: return body(ActivationTag<Activation::kTanh>{});
    case Activation::kLeakyRelu: return body(ActivationTag<Activation::kLeakyRelu>{});
    case Activation::kElu: return body(ActivationTag<Activation::kElu>{});
  }
}
// For places where the activation is known only here and code size matters more than a switch per register.
ETALON_INLINE Vec activate(Activation activation, Vec x, Vec alpha) {
  Vec out = x;
  with_activation(activation, [&](auto tag) { out = activate<decltype(tag)::kValue>(x, alpha); });
  return out;
}

}  // namespace
}  // namespace etalon::kernels
