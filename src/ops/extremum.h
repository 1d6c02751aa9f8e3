// The order that max, argmax, topk and their kin share: NaN beats every number, whichever end is wanted.
#pragma once

#include <limits>
#include <type_traits>

#include "tensor/half.h"

namespace etalon::ops {

template <class T>
using ComparedAs =
    std::conditional_t<std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>, float, T>;

// True if `candidate` is to replace `best`.
template <bool kLargest, class T>
inline bool beats(T candidate, T best) {
  const bool further = kLargest ? candidate > best : candidate < best;
  if constexpr (std::is_floating_point_v<T>) {
    return static_cast<int>(further) | static_cast<int>(candidate != candidate);
  } else {
    return further;
  }
}

// The winner of the two. Two selections, each of which vectorises.
template <bool kLargest, class T>
inline T better_of(T best, T candidate) {
  const T further = (kLargest ? candidate > best : candidate < best) ? candidate : best;
  if constexpr (std::is_floating_point_v<T>) {
    return candidate == candidate ? further : candidate;
  } else {
    return further;
  }
}

template <class T, bool kLargest>
constexpr T least_wanted() {
  if constexpr (std::is_floating_point_v<T>) {
    return kLargest ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::infinity();
  } else {
    return kLargest ? std::numeric_limits<T>::lowest() : std::numeric_limits<T>::max();
  }
}

}  // namespace etalon::ops
