// 3x3 depthwise windows that move along a row with all they see in registers. Four input rows are interleaved as in
// depthwise_window_impl.h, but nothing of that is stored: with stride 1 three windows would read it; with stride 2,
// where only one output row finds its input rows among four, one or two.
//
// Blocks are those of depthwise_window_impl.h: of 64 channels, and a last one of up to 32, if that is enough, whose
// registers hold two columns.
#pragma once

#include "kernels/qs8_conv2d/depthwise_window_impl.h"

namespace etalon::kernels {
namespace {

template <int kStride, bool kPairs>
struct Qs8MovingBlock : Qs8Window<3, kStride, kPairs> {
  using Window = Qs8Window<3, kStride, kPairs>;
  using typename Window::Store;
  static constexpr std::int64_t kWide = Window::kWide, kStep = Window::kStep;

  static constexpr int kInRows = Window::kInRows, kOutRows = Window::kOutRows;

  struct Rows {
    const std::int8_t* row[kInRows];
    __mmask64 mask[kInRows];  // none outside the image
    __m512i outside;
    std::int64_t width, pixel_stride;
  };

  // What a register holds of a row: column x or, with two columns per register, x and that of the next window, too.
  static inline __attribute__((always_inline)) __m512i load(const Rows& rows, int r, std::int64_t x, __mmask64 mask,
                                                            __mmask64 next) {
    const std::int8_t* at = rows.row[r] + x * rows.pixel_stride;
    const __m512i flip = _mm512_set1_epi8(static_cast<char>(0x80));
    if constexpr (kPairs) {
      const __m256i outside = _mm512_castsi512_si256(rows.outside);
      const __m256i low = _mm256_mask_loadu_epi8(outside, static_cast<__mmask32>(mask), at);
      const std::int8_t* second = at + kStride * rows.pixel_stride;
      const __m256i high = _mm256_mask_loadu_epi8(outside, static_cast<__mmask32>(next), second);
      return _mm512_xor_si512(_mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1), flip);
    }
    return _mm512_xor_si512(_mm512_mask_loadu_epi8(rows.outside, mask, at), flip);
  }

  // Bytes of all rows next to each other; the fourth of three may be any, as it meets no weight.
  static inline __attribute__((always_inline)) void interleave(const __m512i (&r)[kInRows], __m512i (&to)[4]) {
    const __m512i last = r[kInRows - 1];
    const __m512i l01 = _mm512_unpacklo_epi8(r[0], r[1]), h01 = _mm512_unpackhi_epi8(r[0], r[1]);
    const __m512i l23 = _mm512_unpacklo_epi8(r[2], last), h23 = _mm512_unpackhi_epi8(r[2], last);
    to[0] = _mm512_unpacklo_epi16(l01, l23);
    to[1] = _mm512_unpackhi_epi16(l01, l23);
    to[2] = _mm512_unpacklo_epi16(h01, h23);
    to[3] = _mm512_unpackhi_epi16(h01, h23);
  }

  static inline __attribute__((always_inline)) void load_column(const Rows& rows, std::int64_t x, __m512i (&to)[4]) {
    __m512i r[kInRows];
    if (x >= 0 && x + (kPairs ? kStride : 0) < rows.width) {
#pragma GCC unroll 4
      for (int i = 0; i < kInRows; ++i) r[i] = load(rows, i, x, rows.mask[i], rows.mask[i]);
    } else {
      const std::int64_t next = x + kStride;
      const bool is_inside = x >= 0 && x < rows.width, next_is_inside = next >= 0 && next < rows.width;
#pragma GCC unroll 4
      for (int i = 0; i < kInRows; ++i) {
        r[i] = load(rows, i, x, is_inside ? rows.mask[i] : 0, next_is_inside ? rows.mask[i] : 0);
      }
    }
    interleave(r, to);
  }

  // The columns that the three taps of a window meet, and the last one that was interleaved.
  struct Taps {
    __m512i x[3][4], ahead[4];

    __attribute__((always_inline)) Taps(const Rows& rows, std::int64_t first) {
      load_column(rows, first, ahead);
      if constexpr (kStride == 2 || kPairs) return;
      copy(ahead, x[1]);
      load_column(rows, first + 1, ahead);
    }

    // To the window that begins at column `first`.
    __attribute__((always_inline)) void move(const Rows& rows, std::int64_t first) {
      if constexpr (kStride == 1 && !kPairs) {
        copy(x[1], x[0]);
        copy(ahead, x[1]);
      } else {
        copy(ahead, x[0]);
      }
      if constexpr (kStride == 2) load_column(rows, first + 1, x[1]);
      load_column(rows, first + (kPairs ? kStep : 2), ahead);
      if constexpr (kPairs) half_way(x[0], ahead, x[kStride]);
      if constexpr (!kPairs || kStride == 1) copy(ahead, x[2]);
    }

    static inline __attribute__((always_inline)) void copy(const __m512i (&from)[4], __m512i (&to)[4]) {
#pragma GCC unroll 4
      for (int j = 0; j < 4; ++j) to[j] = from[j];
    }
    // The second column of `a` and the first of `b`.
    static inline __attribute__((always_inline)) void half_way(const __m512i (&a)[4], const __m512i (&b)[4],
                                                               __m512i (&to)[4]) {
#pragma GCC unroll 4
      for (int j = 0; j < 4; ++j) to[j] = _mm512_shuffle_i64x2(a[j], b[j], 0x4e);
    }
  };

  // Weights of the second row come from memory: there are no registers left for them.
  static inline void add(__m512i& sum, __m512i x, const __m512i& w) {
    asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(x), "m"(w));
  }

  // kR output rows, a row of the image apart.
  template <bool kScalesBelowOne, int kR>
  static __attribute__((noinline)) void run_rows(const Rows& in, std::int64_t first, std::int64_t width,
                                                 const std::byte* block, const Store& store, std::int8_t* out) {
    const Rows rows = in;  // copies that no stored byte might change
    const Store f = store;
    const std::int64_t out_row = width * f.pixel_stride;
    const auto* bias = reinterpret_cast<const __m512i*>(block);
    const auto* weights = reinterpret_cast<const __m512i*>(block + Window::kHeaderBytes);
    const auto* second = weights + 12;
    __m512i w[3][4];
    __m512 scale[4];
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) {
      scale[j] = _mm512_load_ps(block + Window::kBlock * 4 + 64 * j);
      for (int k = 0; k < 3; ++k) w[k][j] = _mm512_load_si512(weights + 4 * k + j);
    }
    Taps taps(rows, first);
    for (std::int64_t x = 0; x < width; x += kWide, first += kStep, out += kWide * f.pixel_stride) {
      taps.move(rows, first);
      asm("" : "+r"(second));  // else GCC wants a register for every address
#pragma GCC unroll 2
      for (int r = 0; r < kR; ++r) {
        __m512i sums[1][4];
#pragma GCC unroll 4
        for (int j = 0; j < 4; ++j) {
          sums[0][j] = bias[j];
#pragma GCC unroll 3
          for (int k = 0; k < 3; ++k) {
            if (r == 0) Window::add(sums[0][j], taps.x[k][j], w[k][j]);
            else add(sums[0][j], taps.x[k][j], second[4 * k + j]);
          }
        }
        Window::template store<kScalesBelowOne>(sums, scale, f, x + kWide > width, out + r * out_row);
      }
    }
  }

  static Rows rows_at(const Conv2dShape& s, const Qs8Conv2dParams& p, const std::int8_t* image, std::int64_t y,
                      __mmask64 mask) {
    Rows rows{{}, {}, _mm512_set1_epi8(static_cast<char>(p.input_zero_point)), s.in_w, s.in_pixel_stride};
    for (int r = 0; r < kInRows; ++r) {
      const bool is_inside = y + r >= 0 && y + r < s.in_h;
      rows.row[r] = is_inside ? image + (y + r) * s.in_w * s.in_pixel_stride : image;
      rows.mask[r] = is_inside ? mask : 0;
    }
    return rows;
  }

  // `count` output rows from `y` of one block of channels.
  static void run_unit(const Conv2dShape& s, const Qs8Conv2dParams& p, const Qs8Conv2dCall& call, std::int64_t image,
                       std::int64_t y, std::int64_t count, std::int64_t channel, const std::byte* block) {
    const std::int64_t left = s.out_c - channel, channels = left < Window::kChannels ? left : Window::kChannels;
    const __mmask64 mask = first_bytes(channels);
    const std::int8_t* input = call.input + image * s.in_h * s.in_w * s.in_pixel_stride + channel;
    const Rows rows = rows_at(s, p, input, y * kStride - s.pad_top, mask);
    const Store store{.zero = _mm512_set1_epi16(static_cast<short>(p.output_zero_point)),
                      .min = _mm512_set1_epi8(static_cast<char>(p.min)),
                      .max = _mm512_set1_epi8(static_cast<char>(p.max)),
                      .high = _mm512_set1_ps(static_cast<float>(p.max - p.output_zero_point)),
                      .mask = mask,
                      .pixel_stride = s.out_pixel_stride};
    std::int8_t* out = call.output + (image * s.out_h + y) * s.out_w * s.out_pixel_stride + channel;
    const auto scales = [&](int j) { return _mm512_load_ps(block + Window::kBlock * 4 + 64 * j); };
    const bool below_one = are_below_one(_mm512_max_ps(scales(0), scales(1)), _mm512_max_ps(scales(2), scales(3)));
    const auto run = below_one ? count == 1 ? run_rows<true, 1> : run_rows<true, kOutRows>
                               : count == 1 ? run_rows<false, 1> : run_rows<false, kOutRows>;
    run(rows, -s.pad_left, s.out_w, block, store, out);
  }
};

template <int kStride>
struct Qs8MovingWindow {
  using Whole = Qs8MovingBlock<kStride, false>;
  using Half = Qs8MovingBlock<kStride, true>;
  static constexpr std::int64_t kOutRows = Whole::kOutRows;

  static const char* refusal(const Conv2dShape& s, const Qs8Conv2dParams& p) { return Whole::refusal(s, p); }
  static bool ends_half(const Conv2dShape& s) { return (s.out_c - 1) % 64 < 32; }
  static std::int64_t blocks(const Conv2dShape& s) { return (s.out_c + 63) / 64; }

  static double cycles(const Conv2dShape& s, const Machine&) {
    const auto blocks_of = [&](std::int64_t n, double per_pixel) {
      return static_cast<double>(n) * (40 + per_pixel * kOutRows * static_cast<double>(s.out_w));
    };
    const std::int64_t half = ends_half(s) ? 1 : 0;
    return static_cast<double>(s.batch * Whole::row_groups(s)) *
           (blocks_of(blocks(s) - half, kStride == 1 ? 15 : 22) + blocks_of(half, kStride == 1 ? 9 : 14));
  }

  static std::size_t packed_bytes(const Conv2dShape& s) {
    return static_cast<std::size_t>(blocks(s) * Whole::kBlockBytes);
  }
  static std::size_t scratch_bytes(const Conv2dShape&, const Machine&) { return 0; }

  static void pack(const Conv2dShape& s, const Qs8Conv2dParams& p, const Qs8Conv2dWeights& w, void* packed) {
    __builtin_memset(packed, 0, packed_bytes(s));
    for (std::int64_t c = 0; c < s.out_c; ++c) {
      std::byte* block = static_cast<std::byte*>(packed) + c / 64 * Whole::kBlockBytes;
      if (ends_half(s) && c / 64 + 1 == blocks(s)) Half::pack_channel(s, p, w, c, block);
      else Whole::pack_channel(s, p, w, c, block);
    }
  }

  static void translate(const Conv2dShape& s, const Qs8Conv2dParams& p, std::int64_t rows, std::int8_t* out) {
    const std::int64_t pixels = rows * s.out_w;
    if (p.table == nullptr) return;
    if (s.out_c == s.out_pixel_stride) return translate_avx512(out, pixels * s.out_c, p.table);
    for (std::int64_t i = 0; i < pixels; ++i) translate_avx512(out + i * s.out_pixel_stride, s.out_c, p.table);
  }

  static void run(const Conv2dShape& s, const Qs8Conv2dParams& p, const Machine&, const Qs8Conv2dCall& call,
                  unsigned worker, unsigned workers) {
    const std::int64_t groups = Whole::row_groups(s), all = s.batch * groups;
    for (std::int64_t i = all * worker / workers; i < all * (worker + 1) / workers; ++i) {
      const std::int64_t image = i / groups, y = i % groups * kOutRows;
      const std::int64_t count = s.out_h - y < kOutRows ? s.out_h - y : kOutRows;
      const auto* block = static_cast<const std::byte*>(call.packed);
      for (std::int64_t b = 0; b < blocks(s); ++b, block += Whole::kBlockBytes) {
        if (ends_half(s) && b + 1 == blocks(s)) Half::run_unit(s, p, call, image, y, count, b * 64, block);
        else Whole::run_unit(s, p, call, image, y, count, b * 64, block);
      }
      translate(s, p, count, call.output + (image * s.out_h + y) * s.out_w * s.out_pixel_stride);
    }
  }
};

}  // namespace
}  // namespace etalon::kernels
