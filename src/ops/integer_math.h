// Integer arithmetic as Python and torch define it, total: overflow wraps, nothing is undefined. T may be any
// type that elementwise operations compute in; floats follow torch.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace etalon::ops {

// Wrapping arithmetic. For bool, the sum is "or" and the product "and".
template <class T>
T wrapping_add(T a, T b) {
  if constexpr (std::is_same_v<T, bool>)
    return a || b;
  else if constexpr (std::is_integral_v<T>)
    return static_cast<T>(static_cast<std::make_unsigned_t<T>>(a) + static_cast<std::make_unsigned_t<T>>(b));
  else
    return a + b;
}
template <class T>
T wrapping_sub(T a, T b) {
  if constexpr (std::is_same_v<T, bool>)
    return a != b;
  else if constexpr (std::is_integral_v<T>)
    return static_cast<T>(static_cast<std::make_unsigned_t<T>>(a) - static_cast<std::make_unsigned_t<T>>(b));
  else
    return a - b;
}
template <class T>
T wrapping_mul(T a, T b) {
  if constexpr (std::is_same_v<T, bool>)
    return a && b;
  else if constexpr (std::is_integral_v<T>)
    return static_cast<T>(static_cast<std::make_unsigned_t<T>>(a) * static_cast<std::make_unsigned_t<T>>(b));
  else
    return a * b;
}

// Quotient and remainder, truncated; `b` is not zero. The one overflow, min / -1, wraps.
template <class T>
T truncated_quotient(T a, T b) {
  if constexpr (std::is_same_v<T, bool>)
    return a;
  else if constexpr (std::is_signed_v<T>)
    return b == T(-1) ? wrapping_sub(T(0), a) : static_cast<T>(a / b);
  else
    return static_cast<T>(a / b);
}
template <class T>
T truncated_remainder(T a, T b) {
  if constexpr (std::is_same_v<T, bool>)
    return false;
  else if constexpr (std::is_signed_v<T>)
    return b == T(-1) ? T(0) : static_cast<T>(a % b);
  else
    return static_cast<T>(a % b);
}

// Rounded down, and the remainder with the divisor's sign; `b` is not zero.
template <class T>
T floor_quotient(T a, T b) {
  const T q = truncated_quotient(a, b);
  if constexpr (std::is_signed_v<T>) {
    if (truncated_remainder(a, b) != 0 && (a < 0) != (b < 0)) return static_cast<T>(q - 1);
  }
  return q;
}
template <class T>
T floor_remainder(T a, T b) {
  const T r = truncated_remainder(a, b);
  if constexpr (std::is_signed_v<T>) {
    if (r != 0 && (r < 0) != (b < 0)) return static_cast<T>(r + b);
  }
  return r;
}

// The same for floats. Division by zero gives an infinity or NaN.
template <class T>
T floor_quotient_real(T a, T b) {
  if (b == T(0)) return a / b;
  const T rest = std::fmod(a, b);
  T quotient = (a - rest) / b;
  if (rest != T(0) && (b < T(0)) != (rest < T(0))) quotient -= T(1);
  if (quotient == T(0)) return std::copysign(T(0), a / b);
  const T down = std::floor(quotient);
  return quotient - down > T(0.5) ? down + T(1) : down;
}
template <class T>
T floor_remainder_real(T a, T b) {
  const T rest = std::fmod(a, b);
  return rest != T(0) && (b < T(0)) != (rest < T(0)) ? rest + b : rest;
}

// base^exponent by squaring, wrapping. A negative exponent gives the truncated result: 0 unless base is 1 or
// -1.
template <class T>
T integer_power(T base, T exponent) {
  if constexpr (std::is_signed_v<T>) {
    if (exponent < 0) {
      if (base == T(1)) return T(1);
      return base == T(-1) ? static_cast<T>(exponent % 2 == 0 ? 1 : -1) : T(0);
    }
  }
  T result = T(1);
  for (; exponent != 0; exponent = static_cast<T>(exponent / 2)) {
    if (exponent % 2 != 0) result = wrapping_mul(result, base);
    base = wrapping_mul(base, base);
  }
  return result;
}

}  // namespace etalon::ops
