// Visiting every index of a shape with the offsets of several strided operands. Private to native/reference.
#pragma once

#include <array>

#include "tensor/dims.h"

namespace etalon::native::reference {

// Calls body(offsets) in row-major order of `sizes`; `strides` has one entry per operand.
template <std::size_t kOperands, class Body>
void walk(const Dims& sizes, const std::array<Dims, kOperands>& strides, Body&& body) {
  const std::int64_t count = numel(sizes);
  Dims index(sizes.size(), 0);
  std::array<std::int64_t, kOperands> offsets{};
  for (std::int64_t n = 0; n < count; ++n) {
    body(static_cast<const std::array<std::int64_t, kOperands>&>(offsets));
    for (std::size_t d = sizes.size(); d-- > 0;) {
      for (std::size_t k = 0; k < kOperands; ++k) offsets[k] += strides[k][d];
      if (++index[d] < sizes[d]) break;
      for (std::size_t k = 0; k < kOperands; ++k) offsets[k] -= strides[k][d] * sizes[d];
      index[d] = 0;
    }
  }
}

// Strides of an operand that is broadcast to `sizes`: 0 where it repeats.
inline Dims broadcast_strides(const Dims& operand, const Dims& sizes) {
  const Dims own = contiguous_strides(operand);
  Dims out(sizes.size(), 0);
  const std::size_t missing = sizes.size() - operand.size();
  for (std::size_t i = 0; i < operand.size(); ++i) out[missing + i] = operand[i] == 1 ? 0 : own[i];
  return out;
}

}  // namespace etalon::native::reference
