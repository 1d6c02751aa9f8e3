// Counting in vectors. Include one kernels/simd/<isa>.h first.
#pragma once

#include <cstddef>
#include <cstdint>

namespace etalon::kernels {
namespace {

constexpr std::int64_t kLanes = static_cast<std::int64_t>(Vec::kLanes);

constexpr std::int64_t smaller(std::int64_t a, std::int64_t b) { return a < b ? a : b; }
constexpr std::int64_t larger(std::int64_t a, std::int64_t b) { return a > b ? a : b; }
constexpr std::int64_t div_up(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }  // a >= 0

ETALON_INLINE Vec load_channels(const float* p, std::size_t lanes) {
  return lanes == Vec::kLanes ? Vec::load(p) : Vec::load(p, lanes);
}
ETALON_INLINE void store_channels(Vec v, float* p, std::size_t lanes) {
  if (lanes == Vec::kLanes) return v.store(p);
  v.store(p, lanes);
}

}  // namespace
}  // namespace etalon::kernels
