// Numbers of c10::ScalarType as they stand in files: sizes, and the byte count of dense tensors.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/checked.h"

namespace etalon::formats {

// Bytes per element; 0 for unknown numbers and for types narrower than a byte.
constexpr std::size_t scalar_type_size(int number) {
  constexpr std::array<std::uint8_t, 30> kSizes = {
      1, 1, 2, 4, 8, 2, 4, 8, 4, 8, 16, 1, 1, 1, 4,  // BYTE .. LONG, HALF .. DOUBLE, complex, BOOL, quantised
      2, 0, 0, 0, 0, 0, 1, 2, 1, 1, 1,  1, 2, 4, 8,  // BFLOAT16, packed, BITS8, BITS16, float8 x 4, unsigned
  };
  return number >= 0 && number < static_cast<int>(kSizes.size()) ? kSizes[static_cast<std::size_t>(number)]
                                                                 : 0;
}

// Whether the number has a meaning at all (packed types included).
constexpr bool is_scalar_type(int number) { return number >= 0 && number <= 29; }

// Bytes of a dense tensor; nothing on overflow, a negative size or a type without a size.
template <class Int>
std::optional<std::uint64_t> dense_nbytes(int scalar_type, std::span<const Int> sizes) {
  std::uint64_t total = scalar_type_size(scalar_type);
  if (total == 0) return std::nullopt;
  for (const Int size : sizes) {
    if (size < 0) return std::nullopt;
    const auto next = checked_mul(total, static_cast<std::uint64_t>(size));
    if (!next) return std::nullopt;
    total = *next;
  }
  return total;
}

// Whether `order` holds each of 0..rank-1 once.
inline bool is_dim_order(std::span<const std::uint8_t> order, std::size_t rank) {
  if (order.size() != rank || rank > 64) return false;
  std::uint64_t seen = 0;
  for (const std::uint8_t dim : order) {
    if (dim >= rank) return false;
    seen |= std::uint64_t{1} << dim;
  }
  return seen == (rank == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << rank) - 1);
}

}  // namespace etalon::formats
