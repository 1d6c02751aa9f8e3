// 3x3 depthwise windows of stride 2. There only one output row finds its input rows among four that are interleaved, and
// every second column of them meets two windows, so they would be stored for hardly anything: here they stay in registers
// while the window moves on. Blocks are those of depthwise_window_impl.h: of 64 channels, and a last one of up to 32, if
// that is enough, in which registers hold two columns.
#pragma once

#include "kernels/qs8_conv2d/depthwise_window_impl.h"

namespace etalon::kernels {
namespace {

template <bool kPairs>
struct Qs8Stride2Block : Qs8Window<3, 2, kPairs> {
  using Window = Qs8Window<3, 2, kPairs>;
  using typename Window::Store;
  static constexpr std::int64_t kWide = Window::kWide, kStep = Window::kStep;

  struct Rows {
    const std::int8_t* row[3];
    __mmask64 mask[3];  // none outside the image
    __m512i outside;
    std::int64_t width, pixel_stride;
  };

  // What a register holds of a row: column x or, with two columns per register, x and x + 2.
  static inline __attribute__((always_inline)) __m512i load(const Rows& rows, int r, std::int64_t x, __mmask64 mask,
                                                            __mmask64 next) {
    const std::int8_t* at = rows.row[r] + x * rows.pixel_stride;
    const __m512i flip = _mm512_set1_epi8(static_cast<char>(0x80));
    if constexpr (kPairs) {
      const __m256i outside = _mm512_castsi512_si256(rows.outside);
      const __m256i low = _mm256_mask_loadu_epi8(outside, static_cast<__mmask32>(mask), at);
      const __m256i high = _mm256_mask_loadu_epi8(outside, static_cast<__mmask32>(next), at + 2 * rows.pixel_stride);
      return _mm512_xor_si512(_mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1), flip);
    }
    return _mm512_xor_si512(_mm512_mask_loadu_epi8(rows.outside, mask, at), flip);
  }

  // Bytes of three rows next to each other, and one that meets no weight.
  static inline __attribute__((always_inline)) void interleave(const __m512i (&r)[3], __m512i (&to)[4]) {
    const __m512i l01 = _mm512_unpacklo_epi8(r[0], r[1]), h01 = _mm512_unpackhi_epi8(r[0], r[1]);
    const __m512i l2 = _mm512_unpacklo_epi8(r[2], r[2]), h2 = _mm512_unpackhi_epi8(r[2], r[2]);
    to[0] = _mm512_unpacklo_epi16(l01, l2);
    to[1] = _mm512_unpackhi_epi16(l01, l2);
    to[2] = _mm512_unpacklo_epi16(h01, h2);
    to[3] = _mm512_unpackhi_epi16(h01, h2);
  }

  static inline __attribute__((always_inline)) void load_column(const Rows& rows, std::int64_t x, __m512i (&to)[4]) {
    __m512i r[3];
    if (x >= 0 && x + (kPairs ? 2 : 0) < rows.width) {
#pragma GCC unroll 3
      for (int i = 0; i < 3; ++i) r[i] = load(rows, i, x, rows.mask[i], rows.mask[i]);
    } else {
      const bool is_inside = x >= 0 && x < rows.width, next_is_inside = x + 2 >= 0 && x + 2 < rows.width;
#pragma GCC unroll 3
      for (int i = 0; i < 3; ++i) r[i] = load(rows, i, x, is_inside ? rows.mask[i] : 0, next_is_inside ? rows.mask[i] : 0);
    }
    interleave(r, to);
  }

  template <bool kScalesBelowOne>
  static __attribute__((noinline)) void run_row(const Rows& in, std::int64_t first, std::int64_t width, const std::byte* block,
                                                const Store& store, std::int8_t* out) {
    const Rows rows = in;  // copies that no stored byte might change
    const Store f = store;
    const auto* bias = reinterpret_cast<const __m512i*>(block);
    __m512i weights[12];
#pragma GCC unroll 12
    for (int i = 0; i < 12; ++i) weights[i] = _mm512_load_si512(block + Window::kHeaderBytes + 64 * i);
    __m512 scale[4];
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) scale[j] = _mm512_load_ps(block + Window::kBlock * 4 + 64 * j);
    __m512i even[4], odd[4], next[4];
    load_column(rows, first, even);
    for (std::int64_t x = 0; x < width; x += kWide, first += kStep, out += kWide * f.pixel_stride) {
      load_column(rows, first + 1, odd);
      load_column(rows, first + kStep, next);
      __m512i sums[1][4];
#pragma GCC unroll 4
      for (int j = 0; j < 4; ++j) {
        sums[0][j] = bias[j];
        Window::add(sums[0][j], even[j], weights[j]);
        Window::add(sums[0][j], odd[j], weights[4 + j]);
        Window::add(sums[0][j], kPairs ? _mm512_shuffle_i64x2(even[j], next[j], 0x4e) : next[j], weights[8 + j]);
        even[j] = next[j];
      }
      Window::template store<kScalesBelowOne>(sums, scale, f, x + kWide > width, out);
    }
  }

  static Rows rows_at(const Conv2dShape& s, const Qs8Conv2dParams& p, const std::int8_t* image, std::int64_t y, __mmask64 mask) {
    Rows rows{{}, {}, _mm512_set1_epi8(static_cast<char>(p.input_zero_point)), s.in_w, s.in_pixel_stride};
    for (int r = 0; r < 3; ++r) {
      const bool is_inside = y + r >= 0 && y + r < s.in_h;
      rows.row[r] = is_inside ? image + (y + r) * s.in_w * s.in_pixel_stride : image;
      rows.mask[r] = is_inside ? mask : 0;
    }
    return rows;
  }

  // One output row of one block of channels.
  static void run_unit(const Conv2dShape& s, const Qs8Conv2dParams& p, const Qs8Conv2dCall& call, std::int64_t row,
                       std::int64_t channel, const std::byte* block) {
    const std::int64_t left = s.out_c - channel, channels = left < Window::kChannels ? left : Window::kChannels;
    const __mmask64 mask = first_bytes(channels);
    const std::int8_t* image = call.input + row / s.out_h * s.in_h * s.in_w * s.in_pixel_stride + channel;
    const Rows rows = rows_at(s, p, image, row % s.out_h * 2 - s.pad_top, mask);
    const Store store{_mm512_set1_epi16(static_cast<short>(p.output_zero_point)), _mm512_set1_epi8(static_cast<char>(p.min)),
                      _mm512_set1_epi8(static_cast<char>(p.max)), _mm512_set1_ps(static_cast<float>(p.max - p.output_zero_point)),
                      mask, s.out_pixel_stride};
    std::int8_t* out = call.output + row * s.out_w * s.out_pixel_stride + channel;
    const auto scales = [&](int j) { return _mm512_load_ps(block + Window::kBlock * 4 + 64 * j); };
    if (are_below_one(_mm512_max_ps(scales(0), scales(1)), _mm512_max_ps(scales(2), scales(3)))) {
      run_row<true>(rows, -s.pad_left, s.out_w, block, store, out);
    } else {
      run_row<false>(rows, -s.pad_left, s.out_w, block, store, out);
    }
  }
};

struct Qs8Stride2 {
  using Whole = Qs8Stride2Block<false>;
  using Half = Qs8Stride2Block<true>;

  static const char* refusal(const Conv2dShape& s, const Qs8Conv2dParams& p) { return Whole::refusal(s, p); }
  static bool ends_half(const Conv2dShape& s) { return (s.out_c - 1) % 64 < 32; }
  static std::int64_t blocks(const Conv2dShape& s) { return (s.out_c + 63) / 64; }

  static double cycles(const Conv2dShape& s, const Machine&) {
    const auto blocks_of = [&](std::int64_t n, double per_pixel) {
      return static_cast<double>(n) * (40 + per_pixel * static_cast<double>(s.out_w));
    };
    const std::int64_t half = ends_half(s) ? 1 : 0;
    return static_cast<double>(s.batch * s.out_h) * (blocks_of(blocks(s) - half, 22) + blocks_of(half, 16));
  }

  static std::size_t packed_bytes(const Conv2dShape& s) { return static_cast<std::size_t>(blocks(s) * Whole::kBlockBytes); }
  static std::size_t scratch_bytes(const Conv2dShape&, const Machine&) { return 0; }

  static void pack(const Conv2dShape& s, const Qs8Conv2dParams& p, const Qs8Conv2dWeights& w, void* packed) {
    __builtin_memset(packed, 0, packed_bytes(s));
    for (std::int64_t c = 0; c < s.out_c; ++c) {
      std::byte* block = static_cast<std::byte*>(packed) + c / 64 * Whole::kBlockBytes;
      if (ends_half(s) && c / 64 + 1 == blocks(s)) Half::pack_channel(s, p, w, c, block);
      else Whole::pack_channel(s, p, w, c, block);
    }
  }

  static void run(const Conv2dShape& s, const Qs8Conv2dParams& p, const Machine&, const Qs8Conv2dCall& call,
                  unsigned worker, unsigned workers) {
    const std::int64_t all = s.batch * s.out_h, width = s.out_w * s.out_pixel_stride;
    for (std::int64_t row = all * worker / workers; row < all * (worker + 1) / workers; ++row) {
      const auto* block = static_cast<const std::byte*>(call.packed);
      for (std::int64_t b = 0; b < blocks(s); ++b, block += Whole::kBlockBytes) {
        if (ends_half(s) && b + 1 == blocks(s)) Half::run_unit(s, p, call, row, b * 64, block);
        else Whole::run_unit(s, p, call, row, b * 64, block);
      }
      if (p.table == nullptr) continue;
      std::int8_t* out = call.output + row * width;
      if (s.out_c == s.out_pixel_stride) translate_avx512(out, width, p.table);
      else for (std::int64_t x = 0; x < s.out_w; ++x) translate_avx512(out + x * s.out_pixel_stride, s.out_c, p.table);
    }
  }
};

}  // namespace
}  // namespace etalon::kernels
