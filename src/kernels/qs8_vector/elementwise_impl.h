// Sums, products and conversions. See qs8_vector.h; included by qs8_vector_impl.h.
#pragma once

#include <cstddef>
#include <cstdint>

namespace etalon::kernels {
namespace {

template <class Operation>
ETALON_INLINE void map2(const std::int8_t* a, const std::int8_t* b, std::int8_t* out, std::size_t n,
                        const Operation& f) {
  std::size_t i = 0;
  for (; i + Bytes::kCount <= n; i += Bytes::kCount) f(Bytes::load(a + i), Bytes::load(b + i)).store(out + i);
  if (i < n) f(Bytes::load(a + i, n - i), Bytes::load(b + i, n - i)).store(out + i, n - i);
}

template <class Operation>
ETALON_INLINE void map_with(const std::int8_t* a, Bytes b, std::int8_t* out, std::size_t n, const Operation& f) {
  std::size_t i = 0;
  for (; i + Bytes::kCount <= n; i += Bytes::kCount) f(Bytes::load(a + i), b).store(out + i);
  if (i < n) f(Bytes::load(a + i, n - i), b).store(out + i, n - i);
}

// A short row is repeated until it fills many registers, so that rows need not begin in one of their own.
template <class Operation>
ETALON_INLINE void map_columns(const std::int8_t* a, const std::int8_t* b, std::int8_t* out, std::size_t rows,
                               std::size_t columns, const Operation& f) {
  constexpr std::size_t kRepeated = 4096, kEvenly = 8;
  if (columns > kRepeated / kEvenly) {
    for (std::size_t r = 0; r < rows; ++r) map2(a + r * columns, b, out + r * columns, columns, f);
    return;
  }
  if (columns == 0 || rows == 0) return;
  const std::size_t most = kRepeated / columns / kEvenly * kEvenly, together = rows < most ? rows : most;
  std::int8_t repeated[kRepeated];
  __builtin_memcpy(repeated, b, columns);
  for (std::size_t done = columns, end = together * columns; done < end;) {
    const std::size_t more = done < end - done ? done : end - done;
    __builtin_memcpy(repeated + done, repeated, more);
    done += more;
  }
  for (std::size_t i = 0, end = rows * columns, step = together * columns; i < end; i += step) {
    map2(a + i, repeated, out + i, step < end - i ? step : end - i, f);
  }
}

void add(const std::int8_t* a, const std::int8_t* b, std::int8_t* out, std::size_t n, const Qs8Sum& s) {
  map2(a, b, out, n, Summing(s));
}
void add_scalar(const std::int8_t* a, const std::int8_t* b, std::int8_t* out, std::size_t n, const Qs8Sum& s) {
  map_with(a, Bytes::of(*b), out, n, Summing(s));
}
void add_columns(const std::int8_t* a, const std::int8_t* b, std::int8_t* out, std::size_t rows, std::size_t columns,
                 const Qs8Sum& s) {
  map_columns(a, b, out, rows, columns, Summing(s));
}

// The largest product is 255 * 255, so below this scale none leaves the range of 32-bit integers.
ETALON_INLINE bool is_small(const Qs8Product& p) { return p.scale < 0x1p15f; }

void multiply(const std::int8_t* a, const std::int8_t* b, std::int8_t* out, std::size_t n, const Qs8Product& p) {
  if (is_small(p)) map2(a, b, out, n, Multiplying<false>(p));
  else map2(a, b, out, n, Multiplying<true>(p));
}
void multiply_scalar(const std::int8_t* a, const std::int8_t* b, std::int8_t* out, std::size_t n,
                     const Qs8Product& p) {
  if (is_small(p)) map_with(a, Bytes::of(*b), out, n, Multiplying<false>(p));
  else map_with(a, Bytes::of(*b), out, n, Multiplying<true>(p));
}
void multiply_columns(const std::int8_t* a, const std::int8_t* b, std::int8_t* out, std::size_t rows,
                      std::size_t columns, const Qs8Product& p) {
  if (is_small(p)) map_columns(a, b, out, rows, columns, Multiplying<false>(p));
  else map_columns(a, b, out, rows, columns, Multiplying<true>(p));
}

void translate(const std::int8_t* x, std::int8_t* out, std::size_t n, const std::uint8_t* table) {
  translate_bytes(x, out, n, table);
}

__attribute__((noinline)) void quantise(const float* x, std::int8_t* out, std::size_t n, float inverse_scale,
                                        std::int32_t zero_point) {
  const Quantising quantised(inverse_scale, zero_point);
  std::size_t i = 0;
  for (; i + Bytes::kCount <= n; i += Bytes::kCount) quantised(x + i).store(out + i);
  if (i < n) quantised(x + i, n - i).store(out + i, n - i);
}
void dequantise(const std::int8_t* x, float* out, std::size_t n, float scale, std::int32_t zero_point) {
  const Dequantising dequantise_into(scale, zero_point);
  std::size_t i = 0;
  for (; i + Bytes::kCount <= n; i += Bytes::kCount) dequantise_into(Bytes::load(x + i), out + i);
  if (i < n) dequantise_into(Bytes::load(x + i, n - i), out + i, n - i);
}

ETALON_INLINE std::int32_t round_zero_point(float x) {
  if (!(x > -128.0f)) return -128;
  return static_cast<std::int32_t>(__builtin_lrintf(x < 127.0f ? x : 127.0f));
}

Qd8Row quantise_row(const float* x, std::int8_t* out, std::size_t n) {
  float low = 0, high = 0;
  widen_range(x, n, low, high);
  const float multiplier = low == high ? 1.0f : 255.0f / (high - low);
  const float scaled_low = low * multiplier;
  const float scaled_high = high * multiplier;
  const float from_low = -128.0f + scaled_low, from_high = 127.0f + scaled_high;
  // Of the two ways to place zero the one whose other end errs less.
  const float zero = from_low + from_high > 0 ? -128.0f - scaled_low : 127.0f - scaled_high;
  const std::int32_t zero_point = round_zero_point(zero);
  quantise(x, out, n, multiplier, zero_point);
  return {1 / multiplier, zero_point};
}

}  // namespace
}  // namespace etalon::kernels
