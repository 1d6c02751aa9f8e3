// Overflow-checked arithmetic for sizes that come from outside.
#pragma once

#include <concepts>
#include <optional>

namespace etalon {

template <std::integral T>
[[nodiscard]] std::optional<T> checked_add(T a, T b) {
  T out;
  if (__builtin_add_overflow(a, b, &out)) return std::nullopt;
  return out;
}

template <std::integral T>
[[nodiscard]] std::optional<T> checked_mul(T a, T b) {
  T out;
  if (__builtin_mul_overflow(a, b, &out)) return std::nullopt;
  return out;
}

// Rounds up to a multiple of `alignment` (any positive number); the caller guarantees no overflow.
template <std::integral T>
constexpr T round_up(T value, T alignment) {
  return (value + alignment - 1) / alignment * alignment;
}

}  // namespace etalon
