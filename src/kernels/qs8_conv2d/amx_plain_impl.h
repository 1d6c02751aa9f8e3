// What products on tiles need besides tiles, one number at a time: for tests on machines without vectors of their own.
#pragma once

#include "kernels/qs8_conv2d/amx_impl.h"
#include "kernels/qs8_conv2d/qs8_conv2d.h"

namespace etalon::kernels {
namespace {

struct PlainBytes {
  using Stored = std::int8_t;
  static constexpr std::int64_t kGroup = kChunk, kColumns = kPanel, kNarrowColumns = kTileColumns, kRows = kTileRows;
  static constexpr bool kReadsInput = true;

  static void convert(const std::int8_t* from, std::int64_t n, std::int32_t, std::int8_t* to) {
    __builtin_memcpy(to, from, static_cast<std::size_t>(n));
  }
  // `runs` of `n` bytes each, `step` apart, one after the other.
  static void convert_runs(const std::int8_t* from, std::int64_t step, std::int64_t runs, std::int64_t n, std::int32_t,
                           std::int8_t* to) {
    for (std::int64_t r = 0; r < runs; ++r) __builtin_memcpy(to + r * n, from + r * step, static_cast<std::size_t>(n));
  }
  static void fill(std::int64_t n, std::int32_t zero_point, std::int8_t* to) {
    __builtin_memset(to, zero_point, static_cast<std::size_t>(n));
  }
};

// What becomes of sums: the header of a panel is bias int32[32] | scale float[32].
template <bool kScalesBelowOne>
struct PlainRequantised {
  static constexpr std::int64_t kHeaderBytes = 8 * kPanel;
  static constexpr std::int64_t kPixelBytes = 0;  // of scratch per pixel

  Qs8Conv2dParams params;
  std::int8_t* output;
  std::int64_t out_stride;

  // The place of a channel in a panel of two tiles.
  static std::int64_t slot(std::int64_t c) { return c; }
  // Before all else of a block of pixels.
  void take_pixels(std::int64_t, std::int64_t, std::byte*) {}
  // The zero point of what output number `i` reads.
  std::int32_t zero_of(std::int64_t) const { return params.input_zero_point; }

  template <int kWide>
  void rows(const TileSums& sums, std::int64_t begin, std::int64_t end) const {
    const auto* scales = reinterpret_cast<const float*>(sums.panel + 4 * kPanel);
    for (std::int64_t i = begin; i < end; ++i) {
      if (sums.targets[i] < 0) continue;
      for (std::int64_t c = 0; c < sums.columns; ++c) {
        output[sums.targets[i] * out_stride + sums.channel + c] = requantised(sums.at[i][c], scales[c]);
      }
    }
  }

  std::int8_t requantised(std::int32_t sum, float scale) const {
    const float scaled = static_cast<float>(sum) * scale;
    const auto low = static_cast<float>(params.min - params.output_zero_point);
    const auto high = static_cast<float>(params.max - params.output_zero_point);
    const float clamped = scaled < low ? low : scaled > high ? high : scaled;
    const auto stored = static_cast<std::int8_t>(__builtin_lrintf(clamped) + params.output_zero_point);
    return params.table == nullptr ? stored : static_cast<std::int8_t>(params.table[static_cast<std::uint8_t>(stored)]);
  }
};

}  // namespace
}  // namespace etalon::kernels
