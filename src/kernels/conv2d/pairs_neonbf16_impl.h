// Pairs of bfloat16 numbers on Neon. Include kernels/simd/neon.h before, and pairs_impl.h instead of this elsewhere.
#pragma once

#include <arm_neon.h>

#include "kernels/conv2d/lanes_impl.h"
#include "kernels/math_mode.h"

#define ETALON_PAIRS

namespace etalon::kernels {
namespace {

constexpr MathMode kFactorMath = MathMode::kBf16;
constexpr int kSumsInFlight = 12;
constexpr double kCyclesOfStep = 0.55;

// sums + x.first * weights.first + x.second * weights.second
ETALON_INLINE Vec multiply_add(Vec x, Vec weights, Vec sums) {
  return {vbfdotq_f32(sums.v, vreinterpretq_bf16_f32(weights.v), vreinterpretq_bf16_f32(x.v))};
}

ETALON_INLINE uint16x4_t rounded(Vec x) { return vreinterpret_u16_bf16(vcvt_bf16_f32(x.v)); }
// Floats in the order of memory, rounded to nearest even.
ETALON_INLINE Vec to_pairs(Vec first, Vec second) {
  return {vreinterpretq_f32_u16(vcombine_u16(rounded(first), rounded(second)))};
}

ETALON_INLINE Vec load_some(const float* from, std::int64_t count) {
  return count >= kLanes ? Vec::load(from) : count <= 0 ? Vec::zero() : Vec::load(from, static_cast<std::size_t>(count));
}
ETALON_INLINE void store_some(Vec x, float* to, std::int64_t count) {
  if (count > 0) x.store(to, static_cast<std::size_t>(smaller(count, kLanes)));
}

// Lane by lane.
ETALON_INLINE Vec zip_places(Vec first, Vec second) {
  const uint16x4_t a = rounded(first), b = rounded(second);
  return {vreinterpretq_f32_u16(vcombine_u16(vzip1_u16(a, b), vzip2_u16(a, b)))};
}

// A lane of the first, the same one of the second, the next.
ETALON_INLINE void interleave(Vec first, Vec second, Vec& low, Vec& high) {
  low = {vzip1q_f32(first.v, second.v)};
  high = {vzip2q_f32(first.v, second.v)};
}

}  // namespace
}  // namespace etalon::kernels

#include "kernels/conv2d/pairs_impl.h"
