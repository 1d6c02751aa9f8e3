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
  // The element that becomes the largest: of a negative scale, the smallest.
  const Vec lowest = Vec::of(-__builtin_inff());
  const auto negated_max = [](Vec acc, Vec v) __attribute__((always_inline)) { return max(acc, Vec::zero() - v); };
  const float largest_before = scale < 0 ? -largest(reduce_row(x, n, lowest, Vec::zero() - lowest, negated_max, max_two))
                                         : largest(reduce_row(x, n, lowest, lowest, max_two, max_two));
  const Vec shift = Vec::of(largest_before * scale);
  Vec total[4] = {Vec::zero(), Vec::zero(), Vec::zero(), Vec::zero()};
  const auto power = [&](Vec v) __attribute__((always_inline)) { return exp_nonpositive(v * factor - shift); };
  std::size_t i = 0;
  for (; i + 4 * kLanes <= n; i += 4 * kLanes) {
    Vec e[4];
#pragma GCC unroll 4
    for (std::size_t k = 0; k < 4; ++k) e[k] = power(Vec::load(x + i + k * kLanes));
#pragma GCC unroll 4
    for (std::size_t k = 0; k < 4; ++k) {
      e[k].store(out + i + k * kLanes);
      total[k] = total[k] + e[k];
    }
  }
  for (; i + kLanes <= n; i += kLanes) {
    const Vec e = power(Vec::load(x + i));
    e.store(out + i);
    total[1] = total[1] + e;
  }
  if (i < n) {
    const Vec e = power(Vec::load(x + i, n - i));
    e.store(out + i, n - i);
    total[2] = total[2] + keep_first(e, n - i);
  }
  const Vec inverse = Vec::of(1.0f / sum((total[0] + total[1]) + (total[2] + total[3])));
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
  for (; i + 4 * kLanes <= n; i += 4 * kLanes) {
    Vec r[4];
#pragma GCC unroll 4
    for (std::size_t k = 0; k < 4; ++k) r[k] = at(i + k * kLanes, kLanes);
#pragma GCC unroll 4
    for (std::size_t k = 0; k < 4; ++k) r[k].store(out + i + k * kLanes);
  }
  for (; i + kLanes <= n; i += kLanes) at(i, kLanes).store(out + i);
  if (i < n) at(i, n - i).store(out + i, n - i);
}

struct Moments {
  float mean;
  float variance;
};
// Two passes: exact whatever the mean is.
__attribute__((noinline)) Moments moments_about_mean(const float* x, std::size_t n) {
  const float inverse = 1.0f / static_cast<float>(n);
  const float mean_value = sum_row(x, n) * inverse;
  const Vec mean = Vec::of(mean_value);
  const auto add_square = [&](Vec acc, Vec v) __attribute__((always_inline)) {
    const Vec d = v - mean;
    return fma(d, d, acc);
  };
  return {mean_value, sum(reduce_row(x, n, Vec::zero(), mean, add_square, add_two)) * inverse};
}
// One pass over the deviations from the first element. If that is far from the mean, in standard deviations, the
// difference below cancels, and two passes are made instead; with 16 the variance keeps 20 of its 24 bits.
ETALON_INLINE Moments moments_of_row(const float* x, std::size_t n) {
  constexpr std::size_t kLanes = Vec::kLanes;
  const float inverse = 1.0f / static_cast<float>(n);
  const Vec first = Vec::of(*x);
  Vec total[4] = {Vec::zero(), Vec::zero(), Vec::zero(), Vec::zero()};
  Vec squares[4] = {Vec::zero(), Vec::zero(), Vec::zero(), Vec::zero()};
  const auto add = [&](std::size_t k, Vec v) __attribute__((always_inline)) {
    const Vec d = v - first;
    total[k] = total[k] + d;
    squares[k] = fma(d, d, squares[k]);
  };
  std::size_t i = 0;
  for (; i + 4 * kLanes <= n; i += 4 * kLanes) {
#pragma GCC unroll 4
    for (std::size_t k = 0; k < 4; ++k) add(k, Vec::load(x + i + k * kLanes));
  }
  for (; i + kLanes <= n; i += kLanes) add(0, Vec::load(x + i));
  if (i < n) add(1, Vec::load(x + i, n - i, first));
  const float offset = sum((total[0] + total[1]) + (total[2] + total[3])) * inverse;
  const float raw = sum((squares[0] + squares[1]) + (squares[2] + squares[3])) * inverse;
  const float variance = raw - offset * offset;
  if (offset * offset > 16.0f * variance) return moments_about_mean(x, n);
  return {*x + offset, variance};
}

__attribute__((noinline)) void layer_norm_row(const float* x, const float* gamma, const float* beta, float* out,
                                              std::size_t n, float eps, float* mean_out, float* rstd_out) {
  if (n == 0) return;
  const Moments moments = moments_of_row(x, n);
  const Vec mean = Vec::of(moments.mean);
  const float rstd_value = 1.0f / __builtin_sqrtf(moments.variance + eps);
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
  if (mean_out != nullptr) *mean_out = moments.mean;
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

// Adds `kRows` weighted rows to `out`, or sets it. Several rows at once: each is a stream that the CPU fetches ahead, and
// the sums are read and written less often.
template <int kRows>
ETALON_INLINE void add_weighted_rows(const float* weight, const float* x, std::size_t stride, std::size_t columns, bool sets,
                                     float* out) {
  constexpr std::size_t kLanes = Vec::kLanes;
  Vec factor[kRows];
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) factor[r] = Vec::of(weight[r]);
  const auto add = [&](std::size_t c, const auto& load) __attribute__((always_inline)) {
    Vec acc[2] = {sets ? Vec::zero() : load(out + c), Vec::zero()};
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      acc[r % 2] = fma(factor[r], load(x + static_cast<std::size_t>(r) * stride + c), acc[r % 2]);
    }
    return acc[0] + acc[1];
  };
  std::size_t c = 0;
  for (; c + kLanes <= columns; c += kLanes) {
    add(c, [](const float* p) __attribute__((always_inline)) { return Vec::load(p); }).store(out + c);
  }
  const std::size_t left = columns - c;
  if (left == 0) return;
  add(c, [left](const float* p) __attribute__((always_inline)) { return Vec::load(p, left); }).store(out + c, left);
}

__attribute__((noinline)) void weighted_sum_columns(const float* weight, const float* x, std::size_t rows,
                                                    std::size_t stride, std::size_t columns, float* out) {
  std::size_t r = 0;
  if (rows == 0) {
    for (std::size_t c = 0; c < columns; ++c) out[c] = 0.0f;
  }
  for (; r + 8 <= rows; r += 8) add_weighted_rows<8>(weight + r, x + r * stride, stride, columns, r == 0, out);
  for (; r < rows; ++r) add_weighted_rows<1>(weight + r, x + r * stride, stride, columns, r == 0, out);
}

__attribute__((noinline)) float dot_row(const float* a, const float* b, std::size_t n) {
  constexpr std::size_t kLanes = Vec::kLanes;
  Vec acc[4] = {Vec::zero(), Vec::zero(), Vec::zero(), Vec::zero()};
  std::size_t i = 0;
  for (; i + 4 * kLanes <= n; i += 4 * kLanes) {
#pragma GCC unroll 4
    for (std::size_t k = 0; k < 4; ++k) {
      acc[k] = fma(Vec::load(a + i + k * kLanes), Vec::load(b + i + k * kLanes), acc[k]);
    }
  }
  for (; i + kLanes <= n; i += kLanes) acc[0] = fma(Vec::load(a + i), Vec::load(b + i), acc[0]);
  if (i < n) acc[1] = fma(Vec::load(a + i, n - i), Vec::load(b + i, n - i), acc[1]);
  return sum((acc[0] + acc[1]) + (acc[2] + acc[3]));
}

}  // namespace
}  // namespace etalon::kernels
