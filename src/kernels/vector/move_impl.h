// Transposition and resampling. See vector.h; included by vector_impl.h.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/vector/math_impl.h"

namespace etalon::kernels {
namespace {

// A tile of `rows` x `columns`, both at most kLanes.
ETALON_INLINE void transpose_tile(const float* x, std::size_t x_stride, float* out, std::size_t out_stride,
                                  std::size_t rows, std::size_t columns) {
  constexpr std::size_t kLanes = Vec::kLanes;
  Vec tile[kLanes];
  if (rows == kLanes && columns == kLanes) {
#pragma GCC unroll 16
    for (std::size_t r = 0; r < kLanes; ++r) tile[r] = Vec::load(x + r * x_stride);
    transpose(tile);
#pragma GCC unroll 16
    for (std::size_t c = 0; c < kLanes; ++c) tile[c].store(out + c * out_stride);
    return;
  }
#pragma GCC unroll 16
  for (std::size_t r = 0; r < kLanes; ++r) tile[r] = r < rows ? Vec::load(x + r * x_stride, columns) : Vec::zero();
  transpose(tile);
#pragma GCC unroll 16
  for (std::size_t c = 0; c < kLanes; ++c) {
    if (c < columns) tile[c].store(out + c * out_stride, rows);
  }
}

__attribute__((noinline)) void transpose_x32(const void* x_bytes, std::size_t x_stride, void* out_bytes,
                                             std::size_t out_stride, std::size_t rows, std::size_t columns) {
  constexpr std::size_t kLanes = Vec::kLanes;
  const auto* x = static_cast<const float*>(x_bytes);
  auto* out = static_cast<float*>(out_bytes);
  for (std::size_t c = 0; c < columns; c += kLanes) {
    const std::size_t wide = columns - c < kLanes ? columns - c : kLanes;
    for (std::size_t r = 0; r < rows; r += kLanes) {
      const std::size_t high = rows - r < kLanes ? rows - r : kLanes;
      transpose_tile(x + r * x_stride + c, x_stride, out + c * out_stride + r, out_stride, high, wide);
    }
  }
}

__attribute__((noinline)) void half_to_float(const std::uint16_t* x, float* out, std::size_t n) {
  constexpr std::size_t kLanes = Vec::kLanes;
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) Vec::load_half(x + i).store(out + i);
  if (i == n) return;
  std::uint16_t rest[kLanes] = {};
  __builtin_memcpy(rest, x + i, (n - i) * sizeof *x);
  Vec::load_half(rest).store(out + i, n - i);
}

__attribute__((noinline)) void float_to_half(const float* x, std::uint16_t* out, std::size_t n) {
  constexpr std::size_t kLanes = Vec::kLanes;
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) Vec::load(x + i).store_half(out + i);
  if (i == n) return;
  std::uint16_t rest[kLanes];
  Vec::load(x + i, n - i).store_half(rest);
  __builtin_memcpy(out + i, rest, (n - i) * sizeof *out);
}

__attribute__((noinline)) void bilinear_row(const float* top, const float* bottom, const std::int64_t* left,
                                            const std::int64_t* right, const float* wx, float wy, float* out,
                                            std::size_t pixels, std::size_t channels) {
  constexpr std::size_t kLanes = Vec::kLanes;
  const Vec down = Vec::of(wy);
  for (std::size_t i = 0; i < pixels; ++i) {
    const Vec across = Vec::of(wx[i]);
    const float* corners[4] = {top + left[i], top + right[i], bottom + left[i], bottom + right[i]};
    float* y = out + i * channels;
    for (std::size_t c = 0; c < channels; c += kLanes) {
      const std::size_t n = channels - c < kLanes ? channels - c : kLanes;
      Vec v[4];
#pragma GCC unroll 4
      for (int k = 0; k < 4; ++k) v[k] = n == kLanes ? Vec::load(corners[k] + c) : Vec::load(corners[k] + c, n);
      const Vec upper = fma(v[1] - v[0], across, v[0]);
      const Vec lower = fma(v[3] - v[2], across, v[2]);
      const Vec mixed = fma(lower - upper, down, upper);
      n == kLanes ? mixed.store(y + c) : mixed.store(y + c, n);
    }
  }
}

}  // namespace
}  // namespace etalon::kernels
