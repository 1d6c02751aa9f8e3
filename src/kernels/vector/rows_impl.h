// Softmax, normalisation and sums along rows and columns. See vector.h; included by vector_impl.h.
#pragma once

#include <cstddef>

#include "kernels/vector/math_impl.h"

namespace etalon::kernels {
namespace {

// combine(accumulator, elements) over a row, with four accumulators that begin as `start`; missing elements of the last
// register are `rest`.
template <class Combine, class Join>
ETALON_INLINE Vec reduce_row(const float* x, std::size_t n, Vec start, Vec rest, const Combine& combine,
                           const Join& join) {
  constexpr std::size_t kLanes = Vec::kLanes;
  Vec acc[4] = {start, start, start, start};
  std::size_t i = 0;
  for (; i + 4 * kLanes <= n; i += 4 * kLanes) {
#pragma GCC unroll 4
    for (std::size_t k = 0; k < 4; ++k) acc[k] = combine(acc[k], Vec::load(x + i + k * kLanes));
  }
  for (; i + kLanes <= n; i += kLanes) acc[0] = combine(acc[0], Vec::load(x + i));
  if (i < n) acc[1] = combine(acc[1], Vec::load(x + i, n - i, rest));
  return join(join(acc[0], acc[1]), join(acc[2], acc[3]));
}
ETALON_INLINE Vec add_two(Vec a, Vec b) { return a + b; }
ETALON_INLINE Vec max_two(Vec a, Vec b) { return max(a, b); }

__attribute__((noinline)) float sum_row(const float* x, std::size_t n) {
  return sum(reduce_row(x, n, Vec::zero(), Vec::zero(), add_two, add_two));
}
__attribute__((noinline)) float max_row(const float* x, std::size_t n) {
  const Vec lowest = Vec::of(-__builtin_inff());
  return largest(reduce_row(x, n, lowest, lowest, max_two, max_two));
}

// The sum is divided out last, so the row is read three times; it is in the first-level cache by then.
__attribute__((noinline)) void softmax_row(const float* x, float* out, std::size_t n, float scale) {
  constexpr std::size_t kLanes = Vec::kLanes;
  if (n == 0) return;
  const Vec factor = Vec::of(scale);
  const auto scaled_max = [&](Vec acc, Vec v) __attribute__((always_inline)) { return max(acc, v * factor); };
  const Vec lowest = Vec::of(-__builtin_inff());
  const Vec filling = Vec::of(scale < 0 ? __builtin_inff() : -__builtin_inff());  // the lowest, once it is scaled
  const Vec shift =
      scale == 0 ? Vec::zero() : Vec::of(largest(reduce_row(x, n, lowest, filling, scaled_max, max_two)));
  Vec total[2] = {Vec::zero(), Vec::zero()};
  const auto power = [&](Vec v) __attribute__((always_inline)) { return exp_nonpositive(v * factor - shift); };
  std::size_t i = 0;
  for (; i + 2 * kLanes <= n; i += 2 * kLanes) {
    const Vec a = power(Vec::load(x + i));
    const Vec b = power(Vec::load(x + i + kLanes));
    a.store(out + i);
    b.store(out + i + kLanes);
    total[0] = total[0] + a;
    total[1] = total[1] + b;
  }
  for (; i < n; i += kLanes) {
    const std::size_t left = n - i < kLanes ? n - i : kLanes;
    const Vec a = power(Vec::load(x + i, left));
    a.store(out + i, left);
    total[0] = total[0] + keep_first(a, left);
  }
  const Vec inverse = Vec::of(1.0f / sum(total[0] + total[1]));
  for_each_register(n, out, OneOperand{out}, [&](Vec v) __attribute__((always_inline)) { return v * inverse; });
}

template <bool kGamma, bool kBeta>
ETALON_INLINE void normalise_row(const float* x, const float* gamma, const float* beta, float* out, std::size_t n,
                                 Vec mean, Vec rstd) {
  constexpr std::size_t kLanes = Vec::kLanes;
  const auto at = [&](std::size_t i, std::size_t count) __attribute__((always_inline)) {
    const auto load = [&](const float* p) __attribute__((always_inline)) {
      return count == kLanes ? Vec::load(p + i) : Vec::load(p + i, count);
    };
    Vec v = (load(x) - mean) * rstd;
    if constexpr (kGamma && kBeta) return fma(v, load(gamma), load(beta));
    if constexpr (kGamma) v = v * load(gamma);
    if constexpr (kBeta) v = v + load(beta);
    return v;
  };
  std::size_t i = 0;
  for (; i + 2 * kLanes <= n; i += 2 * kLanes) {
    const Vec a = at(i, kLanes);
    const Vec b = at(i + kLanes, kLanes);
    a.store(out + i);
    b.store(out + i + kLanes);
  }
  for (; i + kLanes <= n; i += kLanes) at(i, kLanes).store(out + i);
  if (i < n) at(i, n - i).store(out + i, n - i);
}

__attribute__((noinline)) void layer_norm_row(const float* x, const float* gamma, const float* beta, float* out,
                                              std::size_t n, float eps, float* mean_out, float* rstd_out) {
  const float count = static_cast<float>(n);
  const float mean_value = sum_row(x, n) / count;
  const Vec mean = Vec::of(mean_value);
  const auto add_square = [&](Vec acc, Vec v) __attribute__((always_inline)) {
    const Vec d = v - mean;
    return fma(d, d, acc);
  };
  // The row's end is filled with zeros for the sum; here it must be the mean, which then is no deviation.
  constexpr std::size_t kLanes = Vec::kLanes;
  const std::size_t whole = n / kLanes * kLanes;
  Vec squares = reduce_row(x, whole, Vec::zero(), Vec::zero(), add_square, add_two);
  if (whole < n) squares = add_square(squares, Vec::load(x + whole, n - whole, mean));
  const float rstd_value = 1.0f / __builtin_sqrtf(sum(squares) / count + eps);
  const Vec rstd = Vec::of(rstd_value);
  if (gamma != nullptr && beta != nullptr) {
    normalise_row<true, true>(x, gamma, beta, out, n, mean, rstd);
  } else if (gamma != nullptr) {
    normalise_row<true, false>(x, gamma, beta, out, n, mean, rstd);
  } else if (beta != nullptr) {
    normalise_row<false, true>(x, gamma, beta, out, n, mean, rstd);
  } else {
    normalise_row<false, false>(x, gamma, beta, out, n, mean, rstd);
  }
  if (mean_out != nullptr) *mean_out = mean_value;
  if (rstd_out != nullptr) *rstd_out = rstd_value;
}

// kVecs registers of columns (the last `part` lanes wide) over all rows, kRows rows at a time.
template <int kVecs, int kRows>
ETALON_INLINE void sum_block(const float* x, std::size_t rows, std::size_t stride, std::size_t part, Vec scale, Vec low,
                             Vec high, float* out) {
  constexpr std::size_t kLanes = Vec::kLanes;
  constexpr std::size_t kChunk = 128;  // rows summed before they join the total: keeps the rounding errors of long sums small
  Vec total[kVecs];
#pragma GCC unroll 4
  for (int v = 0; v < kVecs; ++v) total[v] = Vec::zero();
  const auto load = [&](std::size_t r, int v) __attribute__((always_inline)) {
    const float* p = x + r * stride + static_cast<std::size_t>(v) * kLanes;
    return part == kLanes ? Vec::load(p) : Vec::load(p, part);
  };
  for (std::size_t begin = 0; begin < rows; begin += kChunk) {
    const std::size_t end = rows - begin < kChunk ? rows : begin + kChunk;
    Vec acc[kRows][kVecs];
#pragma GCC unroll 4
    for (int k = 0; k < kRows; ++k) {
#pragma GCC unroll 4
      for (int v = 0; v < kVecs; ++v) acc[k][v] = Vec::zero();
    }
    std::size_t r = begin;
    for (; r + kRows <= end; r += kRows) {
#pragma GCC unroll 4
      for (int k = 0; k < kRows; ++k) {
#pragma GCC unroll 4
        for (int v = 0; v < kVecs; ++v) acc[k][v] = acc[k][v] + load(r + static_cast<std::size_t>(k), v);
      }
    }
    for (; r < end; ++r) {
#pragma GCC unroll 4
      for (int v = 0; v < kVecs; ++v) acc[0][v] = acc[0][v] + load(r, v);
    }
#pragma GCC unroll 4
    for (int k = 0; k < kRows; ++k) {
#pragma GCC unroll 4
      for (int v = 0; v < kVecs; ++v) total[v] = total[v] + acc[k][v];
    }
  }
#pragma GCC unroll 4
  for (int v = 0; v < kVecs; ++v) {
    const Vec result = clamp(total[v] * scale, low, high);
    float* p = out + static_cast<std::size_t>(v) * kLanes;
    part == kLanes ? result.store(p) : result.store(p, part);
  }
}

__attribute__((noinline)) void sum_columns(const float* x, std::size_t rows, std::size_t stride, std::size_t columns,
                                           float scale_value, float min_value, float max_value, float* out) {
  constexpr std::size_t kLanes = Vec::kLanes;
  const Vec scale = Vec::of(scale_value);
  const Vec low = Vec::of(min_value);
  const Vec high = Vec::of(max_value);
  std::size_t c = 0;
  for (; c + 4 * kLanes <= columns; c += 4 * kLanes) {
    sum_block<4, 2>(x + c, rows, stride, kLanes, scale, low, high, out + c);
  }
  for (; c + kLanes <= columns; c += kLanes) {
    sum_block<1, 4>(x + c, rows, stride, kLanes, scale, low, high, out + c);
  }
  if (c < columns) sum_block<1, 4>(x + c, rows, stride, columns - c, scale, low, high, out + c);
}

}  // namespace
}  // namespace etalon::kernels
