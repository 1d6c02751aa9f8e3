// What the factors of a product are: floats, or, where a pairs_<isa>_impl.h was included before, pairs of 16-bit numbers in
// the places of floats. Code for both is written with these. Include one kernels/simd/<isa>.h first.
#pragma once

#include "kernels/conv2d/lanes_impl.h"
#include "kernels/math_mode.h"

#if !defined(ETALON_PAIRS)
namespace etalon::kernels {
namespace {

constexpr MathMode kFactorMath = MathMode::kExact;
constexpr std::int64_t kPerPlace = 1;  // numbers
constexpr int kSumsInFlight = 8;       // that hide the latency of one

// sums + x * weights
ETALON_INLINE Vec multiply_add(Vec x, Vec weights, Vec sums) { return fma(x, weights, sums); }

// The places of the first `count` of kPerPlace * kLanes floats, zero in the others.
ETALON_INLINE Vec load_places(const float* from, std::int64_t count) {
  return count >= kLanes ? Vec::load(from) : Vec::load(from, static_cast<std::size_t>(count));
}
ETALON_INLINE Vec load_places(const float* from, std::int64_t count, Vec factor) { return load_places(from, count) * factor; }

// Places of which each holds a lane of the first, with pairs of both.
ETALON_INLINE Vec zip_places(Vec first, Vec) { return first; }
// 2 * kLanes floats in the order of memory to places.
ETALON_INLINE void store_places(Vec first, Vec second, float* to) {
  first.store(to);
  second.store(to + kLanes);
}

}  // namespace
}  // namespace etalon::kernels
#endif

namespace etalon::kernels {
namespace {

constexpr std::int64_t places_of(std::int64_t numbers) { return div_up(numbers, kPerPlace); }

}  // namespace
}  // namespace etalon::kernels
