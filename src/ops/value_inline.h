// Scalar's conversions; included by value.h only.
#pragma once

#include <limits>
#include <type_traits>

namespace etalon::ops {

inline Scalar::Scalar(double v) : category_(DTypeCategory::kFloating), int_(0), double_(v) {
  // 2^63 is exact in double; outside [-2^63, 2^63) a cast would be undefined.
  constexpr double kLimit = 9223372036854775808.0;
  if (v >= kLimit) {
    int_ = std::numeric_limits<std::int64_t>::max();
  } else if (v >= -kLimit) {
    int_ = static_cast<std::int64_t>(v);
  } else if (v < -kLimit) {
    int_ = std::numeric_limits<std::int64_t>::min();
  }
}

template <class T>
T Scalar::as() const {
  if constexpr (std::is_same_v<T, bool>) {
    return as_bool();
  } else if constexpr (std::is_integral_v<T>) {
    return static_cast<T>(int_);
  } else if constexpr (std::is_same_v<T, double>) {
    return double_;
  } else {
    return T(static_cast<float>(double_));
  }
}

}  // namespace etalon::ops
