// Rows exchanged with columns. See qs8_vector.h; included by qs8_vector_impl.h.
#pragma once

#include <cstddef>
#include <cstdint>

namespace etalon::kernels {
namespace {

// In every lane of 16 bytes: byte c of register r becomes byte r of register c. Each step turns the eight bits of an
// index made of both by one place.
template <class Lanes>
ETALON_INLINE void transpose_lanes(Lanes (&x)[16]) {
#pragma GCC unroll 4
  for (int step = 0; step < 4; ++step) {
    Lanes y[16];
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i) {
      y[2 * i] = zip_low(x[i], x[i + 8]);
      y[2 * i + 1] = zip_high(x[i], x[i + 8]);
    }
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) x[i] = y[i];
  }
}

// A register holds 16 columns of rows that are 16 apart, so that columns come out in one piece.
template <class Lanes>
ETALON_INLINE void transpose_tile(const std::int8_t* x, std::size_t x_stride, std::int8_t* out,
                                  std::size_t out_stride) {
  Lanes tile[16];
#pragma GCC unroll 16
  for (std::size_t r = 0; r < 16; ++r) tile[r] = Lanes::load(x + r * x_stride, 16 * x_stride);
  transpose_lanes(tile);
#pragma GCC unroll 16
  for (std::size_t c = 0; c < 16; ++c) tile[c].store(out + c * out_stride);
}

// As many rows as one tile has, and at least 16 columns. The last tile begins earlier than it had to, and so is whole,
// too.
template <class Lanes>
__attribute__((noinline)) void transpose_tiles(const std::int8_t* x, std::size_t x_stride, std::int8_t* out,
                                               std::size_t out_stride, std::size_t columns) {
  constexpr std::size_t kColumns = 16;
  for (std::size_t left = 0; left < columns; left += kColumns) {
    const std::size_t c = left + kColumns > columns ? columns - kColumns : left;
    transpose_tile<Lanes>(x + c, x_stride, out + c * out_stride, out_stride);
  }
}

// At least 16 rows and columns. What rows are left behind whole tiles take narrower registers if those suffice, or a
// tile that begins earlier.
template <class Lanes>
void transpose_wide(const std::int8_t* x, std::size_t x_stride, std::int8_t* out, std::size_t out_stride,
                    std::size_t rows, std::size_t columns) {
  constexpr std::size_t kRows = 16 * Lanes::kCount;
  std::size_t r = 0;
  for (; r + kRows <= rows; r += kRows) {
    transpose_tiles<Lanes>(x + r * x_stride, x_stride, out + r, out_stride, columns);
  }
  if (r == rows) return;
  if constexpr (Lanes::kCount > 1) {
    if (rows < kRows || rows - r <= kRows / 2) {
      const std::size_t rest = rows - r < 16 ? 16 : rows - r, from = rows - rest;
      return transpose_wide<typename Lanes::Half>(x + from * x_stride, x_stride, out + from, out_stride, rest, columns);
    }
  }
  transpose_tiles<Lanes>(x + (rows - kRows) * x_stride, x_stride, out + rows - kRows, out_stride, columns);
}

// Few channels between planes and pixels: compilers know how to interleave them.
template <std::size_t kFew>
__attribute__((noinline)) void interleave(const std::int8_t* __restrict x, std::size_t x_stride,
                                          std::int8_t* __restrict out, std::size_t columns) {
  for (std::size_t c = 0; c < columns; ++c) {
    for (std::size_t r = 0; r < kFew; ++r) out[c * kFew + r] = x[r * x_stride + c];
  }
}
template <std::size_t kFew>
__attribute__((noinline)) void separate(const std::int8_t* __restrict x, std::int8_t* __restrict out,
                                        std::size_t out_stride, std::size_t rows) {
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < kFew; ++c) out[c * out_stride + r] = x[r * kFew + c];
  }
}

// Fewer than 16 rows or columns.
__attribute__((noinline)) void transpose_narrow(const std::int8_t* x, std::size_t x_stride, std::int8_t* out,
                                                std::size_t out_stride, std::size_t rows, std::size_t columns) {
  if (rows == 3 && out_stride == 3) return interleave<3>(x, x_stride, out, columns);
  if (columns == 3 && x_stride == 3) return separate<3>(x, out, out_stride, rows);
  for (std::size_t c = 0; c < columns; ++c) {
    for (std::size_t r = 0; r < rows; ++r) out[c * out_stride + r] = x[r * x_stride + c];
  }
}

void transpose_x8(const void* x_bytes, std::size_t x_stride, void* out_bytes, std::size_t out_stride,
                  std::size_t rows, std::size_t columns) {
  const auto* x = static_cast<const std::int8_t*>(x_bytes);
  auto* out = static_cast<std::int8_t*>(out_bytes);
  if (rows < 16 || columns < 16) transpose_narrow(x, x_stride, out, out_stride, rows, columns);
  else transpose_wide<WidestLanes>(x, x_stride, out, out_stride, rows, columns);
}

}  // namespace
}  // namespace etalon::kernels
