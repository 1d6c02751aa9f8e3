// What runs along channels: pooling. See qs8_vector.h; included by qs8_vector_impl.h.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/vector/taps_impl.h"

namespace etalon::kernels {
namespace {

struct Window {
  const std::int8_t* first;  // channel 0 of its first tap
  std::int64_t rows, columns;
  std::int64_t row_step, column_step;
};

// `part` of a register's channels, of kVecs registers side by side.
template <int kVecs>
ETALON_INLINE void max_of_window(const Window& w, std::size_t c, std::size_t part, Bytes low, Bytes high,
                                 std::int8_t* out) {
  constexpr std::size_t kCount = Bytes::kCount;
  Bytes largest[kVecs];
#pragma GCC unroll 4
  for (int v = 0; v < kVecs; ++v) largest[v] = low;
  const auto take = [&](const std::int8_t* p) {
#pragma GCC unroll 4
    for (int v = 0; v < kVecs; ++v) {
      const std::int8_t* q = p + static_cast<std::size_t>(v) * kCount;
      largest[v] = max(largest[v], part == kCount ? Bytes::load(q) : Bytes::load(q, part));
    }
  };
  for (std::int64_t i = 0; i < w.rows; ++i) {
    const std::int8_t* p = w.first + i * w.row_step + c;
    if (w.columns == 3) {  // the most frequent window
      take(p);
      take(p + w.column_step);
      take(p + 2 * w.column_step);
      continue;
    }
    for (std::int64_t j = 0; j < w.columns; ++j, p += w.column_step) take(p);
  }
#pragma GCC unroll 4
  for (int v = 0; v < kVecs; ++v) {
    const Bytes result = min(largest[v], high);
    std::int8_t* q = out + c + static_cast<std::size_t>(v) * kCount;
    part == kCount ? result.store(q) : result.store(q, part);
  }
}

void max_pool_rows(const PoolShape& s, const std::int8_t* x, std::int8_t* out, std::int64_t row_begin,
                   std::int64_t row_end, std::int8_t min_stored, std::int8_t max_stored) {
  constexpr std::size_t kCount = Bytes::kCount;
  const auto channels = static_cast<std::size_t>(s.channels);
  const Bytes low = Bytes::of(min_stored), high = Bytes::of(max_stored);
  for (std::int64_t oh = row_begin; oh < row_end; ++oh) {
    const Taps rows = taps_inside(oh, s.stride_h, s.pad_top, s.dilation_h, s.kernel_h, s.in_h);
    for (std::int64_t ow = 0; ow < s.out_w; ++ow) {
      const Taps columns = taps_inside(ow, s.stride_w, s.pad_left, s.dilation_w, s.kernel_w, s.in_w);
      const Window w{x + (rows.first_index * s.in_w + columns.first_index) * s.channels, rows.count, columns.count,
                     s.dilation_h * s.in_w * s.channels, s.dilation_w * s.channels};
      std::int8_t* y = out + (oh * s.out_w + ow) * s.channels;
      std::size_t c = 0;
      for (; c + 4 * kCount <= channels; c += 4 * kCount) max_of_window<4>(w, c, kCount, low, high, y);
      for (; c + kCount <= channels; c += kCount) max_of_window<1>(w, c, kCount, low, high, y);
      if (c < channels) max_of_window<1>(w, c, channels - c, low, high, y);
    }
  }
}

template <bool kAll>
ETALON_INLINE Bytes load_some(const std::int8_t* p, std::size_t n) {
  return kAll ? Bytes::load(p) : Bytes::load(p, n);
}

// Narrow sums of pairs of rows are added to wide ones before they could overflow.
template <bool kAll>
ETALON_INLINE void sum_block(const std::int8_t* x, std::size_t rows, std::size_t stride, std::size_t columns,
                             ColumnSums& sums) {
  std::size_t r = 0;
  while (r + 2 <= rows) {
    const std::size_t pairs = (rows - r) / 2, some = pairs < ColumnSums::kPairs ? pairs : ColumnSums::kPairs;
    for (std::size_t i = 0; i < some; ++i, r += 2) {
      sums.add(load_some<kAll>(x + r * stride, columns), load_some<kAll>(x + (r + 1) * stride, columns));
    }
    sums.widen();
  }
  if (r < rows) {
    sums.add(load_some<kAll>(x + r * stride, columns), Bytes::of(0));
    sums.widen();
  }
}

// How many rows without gaps fill whole registers together; 0 if they are too many for their sums to be kept.
constexpr std::size_t kMostSums = 1024;
ETALON_INLINE std::size_t rows_in_registers(std::size_t columns) {
  std::size_t together = 1;
  while (together * columns % Bytes::kCount != 0) together *= 2;
  return together * columns <= kMostSums ? together : 0;
}

// Rows that do not fill registers are summed up as fewer and longer ones, and the parts of the sums added.
ETALON_INLINE void sum_together(const std::int8_t* x, std::size_t rows, std::size_t columns, std::size_t together,
                                std::int32_t* total) {
  alignas(64) std::int32_t parts[kMostSums];
  const std::size_t length = together * columns, whole = rows / together, left = (rows - whole * together) * columns;
  for (std::size_t c = 0; c < length; c += Bytes::kCount) {
    ColumnSums sums;
    sum_block<true>(x + c, whole, length, Bytes::kCount, sums);
    const std::size_t more = left > c ? left - c : 0;
    if (more >= Bytes::kCount) sum_block<true>(x + whole * length + c, 1, 0, Bytes::kCount, sums);
    else if (more > 0) sum_block<false>(x + whole * length + c, 1, 0, more, sums);
    sums.store(parts + c);
  }
  for (std::size_t c = 0; c < columns; ++c) total[c] = parts[c];
  for (std::size_t r = 1; r < together; ++r) {
    for (std::size_t c = 0; c < columns; ++c) total[c] += parts[r * columns + c];
  }
}

__attribute__((noinline)) void mean_together(const std::int8_t* x, std::size_t rows, std::size_t columns,
                                             std::size_t together, const Qs8Mean& m, std::int8_t* out) {
  alignas(64) std::int32_t total[kMostSums + Bytes::kCount];
  __builtin_memset(total + columns, 0, Bytes::kCount * sizeof *total);  // the rest of the last register
  sum_together(x, rows, columns, together, total);
  const std::int32_t offset = static_cast<std::int32_t>(rows) * m.input_zero;
  for (std::size_t c = 0; c < columns; c += Bytes::kCount) {
    ColumnSums sums;
    sums.load(total + c);
    const Bytes mean = sums.mean(m, offset);
    columns - c >= Bytes::kCount ? mean.store(out + c) : mean.store(out + c, columns - c);
  }
}

template <bool kAll>
ETALON_INLINE void mean_of_block(const std::int8_t* x, std::size_t rows, std::size_t stride, std::size_t columns,
                                 const Qs8Mean& m, std::int8_t* out) {
  ColumnSums sums;
  sum_block<kAll>(x, rows, stride, columns, sums);
  const Bytes mean = sums.mean(m, static_cast<std::int32_t>(rows) * m.input_zero);
  kAll ? mean.store(out) : mean.store(out, columns);
}

void mean_columns(const std::int8_t* x, std::size_t rows, std::size_t stride, std::size_t columns, const Qs8Mean& m,
                  std::int8_t* out) {
  constexpr std::size_t kWorthAdding = 8;
  if (stride == columns && columns % Bytes::kCount != 0) {
    const std::size_t together = rows_in_registers(columns);
    if (together != 0 && rows >= kWorthAdding * together) return mean_together(x, rows, columns, together, m, out);
  }
  std::size_t c = 0;
  for (; c + Bytes::kCount <= columns; c += Bytes::kCount) {
    mean_of_block<true>(x + c, rows, stride, Bytes::kCount, m, out + c);
  }
  if (c < columns) mean_of_block<false>(x + c, rows, stride, columns - c, m, out + c);
}

}  // namespace
}  // namespace etalon::kernels
