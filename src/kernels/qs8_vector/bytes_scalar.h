// Bytes for machines about which nothing is known: one at a time. See qs8_vector_impl.h.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/qs8_vector/qs8_vector.h"

#define ETALON_ISA kScalar
#define ETALON_ISA_SUFFIX "scalar"
#define ETALON_INLINE inline __attribute__((always_inline))

namespace etalon::kernels {
namespace {

struct Bytes {
  static constexpr std::size_t kCount = 1;
  std::int8_t v;

  ETALON_INLINE static Bytes of(std::int8_t x) { return {x}; }
  ETALON_INLINE static Bytes load(const std::int8_t* p) { return {*p}; }
  ETALON_INLINE static Bytes load(const std::int8_t* p, std::size_t) { return {*p}; }
  ETALON_INLINE void store(std::int8_t* p) const { *p = v; }
  ETALON_INLINE void store(std::int8_t* p, std::size_t) const { *p = v; }
};
ETALON_INLINE Bytes max(Bytes a, Bytes b) { return a.v > b.v ? a : b; }
ETALON_INLINE Bytes min(Bytes a, Bytes b) { return a.v < b.v ? a : b; }

ETALON_INLINE std::int32_t clamp(std::int32_t x, std::int32_t low, std::int32_t high) {
  return x < low ? low : x > high ? high : x;
}
// NaN becomes the smallest.
ETALON_INLINE std::int32_t round_into(float x, std::int32_t low, std::int32_t high) {
  if (!(x > static_cast<float>(low))) return low;
  return x < static_cast<float>(high) ? static_cast<std::int32_t>(__builtin_lrintf(x)) : high;
}

struct Summing {
  Qs8Sum sum;
  ETALON_INLINE explicit Summing(const Qs8Sum& s) : sum(s) {}
  ETALON_INLINE Bytes operator()(Bytes a, Bytes b) const {
    const std::uint32_t scaled = static_cast<std::uint32_t>(sum.bias) + static_cast<std::uint32_t>(a.v * sum.left) +
                                 static_cast<std::uint32_t>(b.v * sum.right);
    const std::int32_t shifted = static_cast<std::int32_t>(scaled) >> sum.shift;
    return {static_cast<std::int8_t>(clamp(shifted + sum.zero_point, sum.min, sum.max))};
  }
};

// kAnyScale: products may be too large for the conversion to integers.
template <bool kAnyScale>
struct Multiplying {
  Qs8Product product;
  ETALON_INLINE explicit Multiplying(const Qs8Product& p) : product(p) {}
  ETALON_INLINE Bytes operator()(Bytes a, Bytes b) const {
    const float exact = static_cast<float>((a.v - product.left_zero) * (b.v - product.right_zero));
    const std::int32_t zero = product.zero_point;
    return {static_cast<std::int8_t>(round_into(exact * product.scale, product.min - zero, product.max - zero) + zero)};
  }
};

struct Quantising {
  float inverse_scale;
  std::int32_t zero_point;
  ETALON_INLINE Quantising(float inverse, std::int32_t zero) : inverse_scale(inverse), zero_point(zero) {}
  ETALON_INLINE Bytes operator()(const float* x) const {
    const std::int32_t rounded = round_into(*x * inverse_scale, -128 - zero_point, 127 - zero_point);
    return {static_cast<std::int8_t>(rounded + zero_point)};
  }
  ETALON_INLINE Bytes operator()(const float* x, std::size_t) const { return (*this)(x); }
};
struct Dequantising {
  float scale;
  std::int32_t zero_point;
  ETALON_INLINE Dequantising(float s, std::int32_t zero) : scale(s), zero_point(zero) {}
  ETALON_INLINE void operator()(Bytes x, float* out) const { *out = scale * static_cast<float>(x.v - zero_point); }
  ETALON_INLINE void operator()(Bytes x, float* out, std::size_t) const { (*this)(x, out); }
};

// Smallest and largest of x, those given included; NaN counts as nothing.
ETALON_INLINE void widen_range(const float* x, std::size_t n, float& low, float& high) {
  for (std::size_t i = 0; i < n; ++i) {
    low = x[i] < low ? x[i] : low;
    high = x[i] > high ? x[i] : high;
  }
}

ETALON_INLINE void translate_bytes(const std::int8_t* x, std::int8_t* out, std::size_t n, const std::uint8_t* table) {
  for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<std::int8_t>(table[static_cast<std::uint8_t>(x[i])]);
}

struct ColumnSums {
  static constexpr std::size_t kPairs = 1 << 22;  // that may be added before wide sums are told
  std::int32_t sum = 0;
  ETALON_INLINE void add(Bytes a, Bytes b) { sum += a.v + b.v; }
  ETALON_INLINE void widen() {}
  ETALON_INLINE void store(std::int32_t* out) const { *out = sum; }
  ETALON_INLINE void load(const std::int32_t* from) { sum = *from; }
  ETALON_INLINE Bytes mean(const Qs8Mean& m, std::int32_t offset) const {
    const float scaled = static_cast<float>(sum - offset) * m.scale;
    const float moved = scaled + static_cast<float>(m.zero_point);
    return {static_cast<std::int8_t>(round_into(moved, m.min, m.max))};
  }
};

// Sixteen bytes for transposition: compilers have vectors for every machine.
struct Lanes1 {
  static constexpr std::size_t kCount = 1;
  using Sixteen __attribute__((vector_size(16))) = std::int8_t;
  Sixteen v;
  ETALON_INLINE static Lanes1 load(const std::int8_t* p, std::size_t) {
    Lanes1 out;
    __builtin_memcpy(&out.v, p, 16);
    return out;
  }
  ETALON_INLINE void store(std::int8_t* p) const { __builtin_memcpy(p, &v, 16); }
};
ETALON_INLINE Lanes1 zip_low(Lanes1 a, Lanes1 b) {
  return {__builtin_shufflevector(a.v, b.v, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)};
}
ETALON_INLINE Lanes1 zip_high(Lanes1 a, Lanes1 b) {
  return {__builtin_shufflevector(a.v, b.v, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)};
}
using WidestLanes = Lanes1;

}  // namespace
}  // namespace etalon::kernels
