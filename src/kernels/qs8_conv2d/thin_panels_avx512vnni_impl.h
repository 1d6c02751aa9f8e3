// Products of many rows with weights of few taps each: there the ends of sums take as long as the products. So tiles
// are such that what ends them needs few instructions: 64 bytes of output leave a register as they lie in memory, or
// nearly, and all that an end needs stays in registers from tile to tile.
//
// Weights lie in panels of 64 channels; the last one has as many registers of 16 as it needs:
//
//   bias int32[channels] | scale float[channels] | weights [steps][channels][4]
//
// with four taps per step, the zero point of the input folded into the bias, and channels in the order that packing
// words and bytes twice within 128-bit lanes undoes.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "kernels/qs8_conv2d/bytes_avx512_impl.h"
#include "kernels/qs8_conv2d/qs8_conv2d.h"

namespace etalon::kernels {
namespace {

// The steps of a row follow each other.
struct RowsInOrder {
  const std::uint8_t* first;
  std::int64_t stride;

  RowsInOrder from_row(std::int64_t row) const { return {first + row * stride, stride}; }

  // At one step of the rows of a tile.
  struct Step {
    const std::uint8_t* quad[4];  // every fourth row
    std::int64_t stride;

    explicit Step(const RowsInOrder& rows) : stride(rows.stride) {
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i) {
        quad[i] = rows.first + 4 * i * stride;
        asm("" : "+r"(quad[i]));  // else GCC wants a register for the distance of every row
      }
    }
    const std::uint8_t* at(int row) const { return quad[row / 4] + row % 4 * stride; }
    void advance() {
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i) quad[i] += 4;
    }
  };
};

// The rows of a step follow each other.
struct StepsInOrder {
  const std::uint8_t* first;
  std::int64_t pitch;

  StepsInOrder from_row(std::int64_t row) const { return {first + 4 * row, pitch}; }

  struct Step {
    const std::uint8_t* first;
    std::int64_t pitch;

    explicit Step(const StepsInOrder& rows) : first(rows.first), pitch(rows.pitch) {}
    const std::uint8_t* at(int row) const { return first + 4 * row; }
    void advance() { first += pitch; }
  };
};

struct ThinOutput {
  std::int8_t* to;
  std::int64_t stride, columns;  // columns of the panel
};

// How sums end. Where limits are the type's own and scales below one, saturation does all the cutting; and where the
// zero point is then the lowest byte, as behind a ReLU, that of unsigned bytes.
enum class ThinEnds { kFromLowest, kWhole, kAny };

template <ThinEnds kEnds, int kV>
struct ThinEnd {
  static constexpr int kRowsPerRegister = kV == 1 ? 4 : kV == 2 ? 2 : 1;
  __m512 scale[kV], high;
  __m512i bias[kV], zero, min, max, order;
  __mmask64 mask;
  std::int64_t stride;
  bool is_gapless;

  ThinEnd(const Qs8Conv2dParams& p, const std::byte* panel, const ThinOutput& out)
      : high(_mm512_set1_ps(static_cast<float>(p.max - p.output_zero_point))),
        zero(_mm512_set1_epi16(static_cast<short>(p.output_zero_point))),
        min(_mm512_set1_epi8(static_cast<char>(p.min))),
        max(_mm512_set1_epi8(static_cast<char>(p.max))),
        order(kV == 1   ? _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15)
              : kV == 2 ? _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7)
                        : _mm512_setr_epi32(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 3, 7, 11, 15)),
        mask(first_bytes(out.columns)),
        stride(out.stride),
        is_gapless(kRowsPerRegister > 1 && out.columns == 16 * kV && out.stride == 16 * kV) {
#pragma GCC unroll 4
    for (int j = 0; j < kV; ++j) {
      bias[j] = _mm512_load_si512(panel + 64 * j);
      scale[j] = _mm512_load_ps(panel + 64 * (kV + j));
    }
  }

  // Of two registers of sums.
  __attribute__((always_inline)) __m512i words(__m512i a, __m512 scale_a, __m512i b, __m512 scale_b) const {
    constexpr bool kIsBelowOne = kEnds != ThinEnds::kAny;
    const __m512i both = _mm512_packs_epi32(requantise<kIsBelowOne>(a, scale_a, high),
                                            requantise<kIsBelowOne>(b, scale_b, high));
    return kEnds == ThinEnds::kFromLowest ? both : _mm512_adds_epi16(both, zero);
  }
  __attribute__((always_inline)) __m512i bytes(__m512i a, __m512i b) const {
    if constexpr (kEnds == ThinEnds::kFromLowest) {
      return _mm512_xor_si512(_mm512_packus_epi16(a, b), _mm512_set1_epi8(static_cast<char>(0x80)));
    }
    const __m512i both = _mm512_packs_epi16(a, b);
    return kEnds == ThinEnds::kAny ? limit(both, min, max) : both;
  }

  // As many rows as a register holds.
  __attribute__((always_inline)) void store(__m512i values, std::int8_t* to) const {
    if constexpr (kV == 4) {
      _mm512_mask_storeu_epi8(to, mask, values);
    } else if constexpr (kV == 3) {
      _mm512_mask_storeu_epi8(to, mask, _mm512_permutexvar_epi32(order, values));
    } else if constexpr (kV == 2) {
      values = _mm512_permutexvar_epi64(order, values);
      if (is_gapless) return _mm512_storeu_si512(to, values);
      const auto few = static_cast<__mmask32>(mask);
      _mm256_mask_storeu_epi8(to, few, _mm512_castsi512_si256(values));
      _mm256_mask_storeu_epi8(to + stride, few, _mm512_extracti64x4_epi64(values, 1));
    } else {
      values = _mm512_permutexvar_epi32(order, values);
      if (is_gapless) return _mm512_storeu_si512(to, values);
      const auto few = static_cast<__mmask16>(mask);
      _mm_mask_storeu_epi8(to, few, _mm512_castsi512_si128(values));
      _mm_mask_storeu_epi8(to + stride, few, _mm512_extracti32x4_epi32(values, 1));
      to += 2 * stride;
      _mm_mask_storeu_epi8(to, few, _mm512_extracti32x4_epi32(values, 2));
      _mm_mask_storeu_epi8(to + stride, few, _mm512_extracti32x4_epi32(values, 3));
    }
  }

  template <int kR>
  __attribute__((always_inline)) void finish(const __m512i (&sums)[kR][kV], std::int8_t* to) const {
#pragma GCC unroll 8
    for (int i = 0; i < kR; i += kRowsPerRegister, to += kRowsPerRegister * stride) {
      if constexpr (kV == 1) {
        store(bytes(words(sums[i][0], scale[0], sums[i + 1][0], scale[0]),
                    words(sums[i + 2][0], scale[0], sums[i + 3][0], scale[0])), to);
      } else if constexpr (kV == 2) {
        store(bytes(words(sums[i][0], scale[0], sums[i][1], scale[1]),
                    words(sums[i + 1][0], scale[0], sums[i + 1][1], scale[1])), to);
      } else {
        store(bytes(words(sums[i][0], scale[0], sums[i][1], scale[1]),
                    words(sums[i][2], scale[2], sums[i][kV - 1], scale[kV - 1])), to);
      }
    }
  }
};

// Registers of 16 channels in panels, and rows in tiles of them.
constexpr int kThinWidth = 4;
constexpr int thin_rows(int width) { return width == 1 ? 16 : width == 2 ? 8 : 4; }
constexpr std::int64_t kThinColumns = 16 * kThinWidth, kThinMaxRows = 16;

template <ThinEnds kEnds, int kV, class Rows>
inline __attribute__((always_inline)) void thin_tile(const Rows& rows, const std::byte* weights, std::int64_t steps,
                                                     const ThinEnd<kEnds, kV>& end, std::int8_t* to) {
  constexpr int kR = thin_rows(kV);
  __m512i sums[kR][kV];
#pragma GCC unroll 16
  for (int i = 0; i < kR; ++i) {
#pragma GCC unroll 4
    for (int j = 0; j < kV; ++j) sums[i][j] = end.bias[j];
  }
  typename Rows::Step step(rows);
  for (; steps > 0; --steps, step.advance(), weights += 64 * kV) {
    __m512i w[kV];
#pragma GCC unroll 4
    for (int j = 0; j < kV; ++j) w[j] = _mm512_load_si512(weights + 64 * j);
#pragma GCC unroll 16
    for (int i = 0; i < kR; ++i) {
      int four = 0;
      __builtin_memcpy(&four, step.at(i), 4);
      const __m512i x = _mm512_set1_epi32(four);
      // GCC 12 copies and spills accumulators around its own intrinsic.
#pragma GCC unroll 4
      for (int j = 0; j < kV; ++j) asm("vpdpbusd %2, %1, %0" : "+v"(sums[i][j]) : "v"(x), "v"(w[j]));
    }
  }
  end.finish(sums, to);
}

// How many of `left` rows to take at once, so that what remains is at least a tile, as at_once - kThinMaxRows is.
inline std::int64_t thin_share(std::int64_t left, std::int64_t at_once) {
  if (left <= at_once) return left;
  return left < at_once + kThinMaxRows ? at_once - kThinMaxRows : at_once;
}

// The last tile begins where it ends with the last row, so some rows may be computed twice. There must be a tile of
// them.
template <ThinEnds kEnds, int kV, class Rows>
__attribute__((noinline)) void thin_tiles(Rows rows, std::int64_t count, const std::byte* panel, std::int64_t steps,
                                          const Qs8Conv2dParams& p, const ThinOutput& out) {
  constexpr std::int64_t kR = thin_rows(kV);
  const ThinEnd<kEnds, kV> end(p, panel, out);
  const std::byte* weights = panel + 64 * 2 * kV;
  std::int8_t* to = out.to;
  for (; count >= kR; count -= kR, rows = rows.from_row(kR), to += kR * end.stride) {
    thin_tile(rows, weights, steps, end, to);
  }
  if (count > 0) thin_tile(rows.from_row(count - kR), weights, steps, end, to + (count - kR) * end.stride);
}

template <int kV>
ThinEnds thin_ends_of(const Qs8Conv2dParams& p, const std::byte* panel) {
  if (p.min != -128 || p.max != 127) return ThinEnds::kAny;
  for (int j = 0; j < kV; ++j) {
    const __m512 scales = _mm512_load_ps(panel + 64 * (kV + j));
    if (!are_below_one(scales, scales)) return ThinEnds::kAny;
  }
  return p.output_zero_point == -128 ? ThinEnds::kFromLowest : ThinEnds::kWhole;
}

template <int kV, class Rows>
void thin_panel(Rows rows, std::int64_t count, const std::byte* panel, std::int64_t steps, const Qs8Conv2dParams& p,
                const ThinOutput& out) {
  switch (thin_ends_of<kV>(p, panel)) {
    case ThinEnds::kFromLowest: return thin_tiles<ThinEnds::kFromLowest, kV>(rows, count, panel, steps, p, out);
    case ThinEnds::kWhole: return thin_tiles<ThinEnds::kWhole, kV>(rows, count, panel, steps, p, out);
    case ThinEnds::kAny: return thin_tiles<ThinEnds::kAny, kV>(rows, count, panel, steps, p, out);
  }
}

struct ThinPanels {
  std::int64_t channels, steps;

  std::int64_t count() const { return (channels + kThinColumns - 1) / kThinColumns; }
  // Registers of a panel.
  std::int64_t width(std::int64_t panel) const {
    const std::int64_t left = channels - panel * kThinColumns;
    return left >= kThinColumns ? kThinWidth : (left + 15) / 16;
  }
  std::int64_t offset(std::int64_t panel) const { return panel * kThinWidth * 64 * (2 + steps); }
  std::int64_t bytes() const { return offset(count() - 1) + width(count() - 1) * 64 * (2 + steps); }

  // place_of(tap) says which of the 4 * steps places a tap of the OHWI filter has.
  template <class PlaceOf>
  void pack(const Qs8Conv2dParams& p, const Qs8Conv2dWeights& w, std::int64_t taps, const PlaceOf& place_of,
            std::byte* packed) const {
    __builtin_memset(packed, 0, static_cast<std::size_t>(bytes()));
    for (std::int64_t c = 0; c < channels; ++c) {
      const std::int64_t v = width(c / kThinColumns), at = c % kThinColumns;
      const std::int64_t slot = at % (4 * v) / 4 * 16 + at / (4 * v) * 4 + at % 4;
      std::byte* panel = packed + offset(c / kThinColumns);
      std::uint32_t sum = 0;
      for (std::int64_t k = 0; k < taps; ++k) {
        const std::int8_t weight = w.filter[c * taps + k];
        const std::int64_t place = place_of(k);
        panel[64 * v * (2 + place / 4) + slot * 4 + place % 4] = static_cast<std::byte>(weight);
        sum += static_cast<std::uint32_t>(weight);
      }
      const auto bias = static_cast<std::uint32_t>(w.bias == nullptr ? 0 : w.bias[c]);
      const std::uint32_t shift = static_cast<std::uint32_t>(p.input_zero_point + 128) * sum;
      reinterpret_cast<std::int32_t*>(panel)[slot] = static_cast<std::int32_t>(bias - shift);
      reinterpret_cast<float*>(panel + 64 * v)[slot] = w.scales[w.scale_is_per_channel ? c : 0];
    }
  }

  // All channels of at least kThinMaxRows rows.
  template <class Rows>
  void run(Rows rows, std::int64_t row_count, const std::byte* packed, const Qs8Conv2dParams& p, std::int8_t* to,
           std::int64_t stride) const {
    for (std::int64_t i = 0, panels = count(); i < panels; ++i) {
      const std::byte* panel = packed + offset(i);
      const std::int64_t left = channels - i * kThinColumns;
      const ThinOutput out{to + i * kThinColumns, stride, left < kThinColumns ? left : kThinColumns};
      switch (width(i)) {
        case 1: thin_panel<1>(rows, row_count, panel, steps, p, out); break;
        case 2: thin_panel<2>(rows, row_count, panel, steps, p, out); break;
        case 3: thin_panel<3>(rows, row_count, panel, steps, p, out); break;
        default: thin_panel<4>(rows, row_count, panel, steps, p, out); break;
      }
    }
  }
};

// Makes bytes unsigned; `to` is aligned.
inline void flip_bytes(const std::int8_t* from, std::int64_t n, std::uint8_t* to) {
  const __m512i top = _mm512_set1_epi8(static_cast<char>(0x80));
  std::int64_t i = 0;
  for (; i + 64 <= n; i += 64) _mm512_store_si512(to + i, _mm512_xor_si512(_mm512_loadu_si512(from + i), top));
  if (i == n) return;
  const __mmask64 mask = first_bytes(n - i);
  _mm512_mask_storeu_epi8(to + i, mask, _mm512_xor_si512(_mm512_maskz_loadu_epi8(mask, from + i), top));
}

// Replaces bytes by what the table has for them, where there is one.
inline void translate_thin(const Qs8Conv2dParams& p, std::int8_t* data, std::int64_t rows, std::int64_t columns,
                           std::int64_t stride) {
  if (p.table == nullptr) return;
  if (columns == stride) return translate_avx512(data, rows * columns, p.table);
  for (std::int64_t r = 0; r < rows; ++r) translate_avx512(data + r * stride, columns, p.table);
}

}  // namespace
}  // namespace etalon::kernels
