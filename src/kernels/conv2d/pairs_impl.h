// Factors that are pairs of 16-bit numbers, of which a float's place holds one, and the rounding that makes them: what
// factors_impl.h says for floats. Include kernels/simd/<isa>.h and then the pairs_<isa>_impl.h that says how an ISA does it
// before anything that computes; it includes this.
#pragma once

#include "kernels/conv2d/lanes_impl.h"

namespace etalon::kernels {
namespace {

constexpr std::int64_t kPerPlace = 2;

// 2 * kLanes floats, of which `count` exist (zeros for the others).
ETALON_INLINE Vec load_places(const float* from, std::int64_t count) {
  return to_pairs(load_some(from, count), load_some(from + kLanes, count - kLanes));
}
ETALON_INLINE Vec load_places(const float* from, std::int64_t count, Vec factor) {
  return to_pairs(load_some(from, count) * factor, load_some(from + kLanes, count - kLanes) * factor);
}
ETALON_INLINE Vec load_places(const float* from, const float* scale, std::int64_t count) {
  return to_pairs(load_some(from, count) * load_some(scale, count),
                  load_some(from + kLanes, count - kLanes) * load_some(scale + kLanes, count - kLanes));
}
[[maybe_unused]] ETALON_INLINE void store_places(Vec first, Vec second, float* to) { to_pairs(first, second).store(to); }

// `count` floats to pairs, the last one filled up with zero; times `scale` unless that is null.
ETALON_INLINE void copy_to_pairs(const float* from, const float* scale, std::int64_t count, float* to) {
  std::int64_t i = 0;
  if (scale == nullptr) {
    for (; i + 2 * kLanes <= count; i += 2 * kLanes, to += kLanes) {
      to_pairs(Vec::load(from + i), Vec::load(from + i + kLanes)).store(to);
    }
    if (i < count) store_some(load_places(from + i, count - i), to, div_up(count - i, 2));
    return;
  }
  for (; i < count; i += 2 * kLanes, to += kLanes) {
    store_some(load_places(from + i, scale + i, count - i), to, div_up(count - i, 2));
  }
}

constexpr std::int64_t kMostPlanes = 4;

// `count` pixels of up to kMostPlanes planes, which are `plane` floats apart, to the pairs of one pixel after the other.
[[maybe_unused]] void copy_planes_to_pairs(const float* from, std::int64_t plane, std::int64_t planes, std::int64_t count,
                                           float* to) {
  for (std::int64_t i = 0; i < count; i += kLanes) {
    const std::int64_t left = count - i;
    const auto load = [&](std::int64_t p) { return p < planes ? load_some(from + p * plane + i, left) : Vec::zero(); };
    const Vec first = zip_places(load(0), load(1));
    if (planes <= 2) {
      store_some(first, to + i, left);
      continue;
    }
    Vec low, high;
    interleave(first, zip_places(load(2), load(3)), low, high);
    store_some(low, to + 2 * i, 2 * left);
    store_some(high, to + 2 * i + kLanes, 2 * left - kLanes);
  }
}

}  // namespace
}  // namespace etalon::kernels
