// Pairs of half precision numbers on Neon. Include kernels/simd/neon.h before, and pairs_impl.h instead of this elsewhere.
#pragma once

#include <arm_neon.h>

#include "kernels/conv2d/lanes_impl.h"
#include "kernels/math_mode.h"

#define ETALON_PAIRS
#define ETALON_HALF_SUMS

namespace etalon::kernels {
namespace {

constexpr MathMode kFactorMath = MathMode::kFp16;
constexpr int kSumsInFlight = 8;
constexpr double kCyclesOfStep = 0.66;

// sums + x.first * weights.first + x.second * weights.second in float32; half_tile_impl.h does it in half precision.
ETALON_INLINE Vec multiply_add(Vec x, Vec weights, Vec sums) {
  const float16x8_t a = vreinterpretq_f16_f32(x.v), b = vreinterpretq_f16_f32(weights.v);
  const float32x4_t low = vmulq_f32(vcvt_f32_f16(vget_low_f16(a)), vcvt_f32_f16(vget_low_f16(b)));
  const float32x4_t high = vmulq_f32(vcvt_high_f32_f16(a), vcvt_high_f32_f16(b));
  return {vaddq_f32(sums.v, vpaddq_f32(low, high))};
}

ETALON_INLINE uint16x4_t rounded(Vec x) { return vreinterpret_u16_f16(vcvt_f16_f32(x.v)); }
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
