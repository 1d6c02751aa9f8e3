// Single elements of any dtype, for code that is not the inner loop.
#pragma once

#include <cmath>
#include <cstdint>
#include <type_traits>

#include "ops/convert.h"
#include "ops/dispatch.h"
#include "tensor/tensor.h"

namespace etalon::ops {

template <class T>
inline constexpr bool kIsFloating =
    std::is_floating_point_v<T> || std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>;

// The type in which many elements are summed: double, or 64-bit integers that wrap.
template <class T>
using SumTypeOf = std::conditional_t<kIsFloating<T>, double, std::uint64_t>;

// Writes `value` at element `offset` of `tensor`, whatever its dtype.
template <class Value>
void store_element(const TensorView& tensor, std::int64_t offset, Value value) {
  (void)visit_dtype(tensor.dtype(), [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    tensor.data_as<T>()[offset] = convert_element<T>(value);
    return {};
  });
}

template <class T>
inline bool is_nan(T value) {
  if constexpr (kIsFloating<T>) {
    return std::isnan(static_cast<float>(value));
  } else {
    return false;
  }
}

}  // namespace etalon::ops
