// Depthwise windows by dot products of bytes. The instruction adds four neighbouring bytes, so four input rows are
// interleaved byte by byte: what it adds are then four rows of one column and one channel.
//
// Each input column is interleaved once, into the scratch, for as many output rows as find all their rows among
// 4 * kDeep of them; their weights are shifted copies. Blocks of 64 channels; or, for layers with few of them, of 32 and
// two output columns at once, whose input columns then lie side by side in a register. Interleaving leaves channels in an order
// that the narrowing at the end undoes; weights, bias and scales are packed in that order:
//
//   bias int32[64] | scale float[64] | weights [output row][kernel column][kDeep][4][64]
#pragma once

#include "kernels/qs8_conv2d/bytes_avx512_impl.h"
#include "kernels/qs8_conv2d/qs8_conv2d.h"

namespace etalon::kernels {
namespace {

template <int kSize, int kStride, bool kPairs>
struct Qs8Window {
  static constexpr int kDeep = (kSize + 3) / 4;
  static constexpr int kOutRows = (4 * kDeep - kSize) / kStride + 1;
  static constexpr int kInRows = (kOutRows - 1) * kStride + kSize;
  static constexpr int kWide = kPairs ? 2 : 1;  // output columns of a register
  static constexpr int kStep = kWide * kStride;
  static constexpr int kTile = 4;  // registers of bytes
  static constexpr std::int64_t kChannels = 64 / kWide;
  static constexpr std::int64_t kBlock = 64, kColumnBytes = kDeep * 256, kRowBytes = kSize * kColumnBytes;
  static constexpr std::int64_t kHeaderBytes = kBlock * 8, kBlockBytes = kHeaderBytes + kOutRows * kRowBytes;

  static std::int64_t blocks(const Conv2dShape& s) { return (s.out_c + kChannels - 1) / kChannels; }
  static std::int64_t row_groups(const Conv2dShape& s) { return (s.out_h + kOutRows - 1) / kOutRows; }
  static std::int64_t columns(const Conv2dShape& s) { return (registers(s) - 1) * kStep + kSize; }
  static std::int64_t registers(const Conv2dShape& s) { return (s.out_w + kWide - 1) / kWide; }

  static const char* refusal(const Conv2dShape& s, const Qs8Conv2dParams&) {
    if (s.groups != s.in_c || s.groups == 1) return "wants a depthwise convolution";
    if (s.out_c != s.in_c) return "wants one output channel per input channel";
    if (s.kernel_h != kSize || s.kernel_w != kSize) return "wants another window";
    if (s.stride_h != kStride || s.stride_w != kStride) return "wants another stride";
    return s.dilation_h == 1 && s.dilation_w == 1 ? nullptr : "does not do dilation";
  }

  static double cycles(const Conv2dShape& s, const Machine&) {
    const auto vectors = static_cast<double>(s.batch * row_groups(s) * blocks(s));
    const double interleave = static_cast<double>(columns(s)) * kDeep * (kPairs ? 8 : 6);
    return vectors * (interleave + static_cast<double>(registers(s)) * kOutRows * (2.0 * kDeep * kSize + 9));
  }

  static std::size_t packed_bytes(const Conv2dShape& s) { return static_cast<std::size_t>(blocks(s) * kBlockBytes); }
  static std::size_t scratch_bytes(const Conv2dShape& s, const Machine&) {
    return static_cast<std::size_t>(columns(s) * kColumnBytes);
  }

  static void pack_channel(const Conv2dShape& s, const Qs8Conv2dParams& p, const Qs8Conv2dWeights& w, std::int64_t channel,
                           std::byte* block) {
    for (std::int64_t c = channel % kChannels; c < kBlock; c += kChannels) pack_slot(s, p, w, channel, c, block);
  }

  static void pack_slot(const Conv2dShape& s, const Qs8Conv2dParams& p, const Qs8Conv2dWeights& w, std::int64_t channel,
                        std::int64_t c, std::byte* block) {
    const std::int64_t slot = c % 16 / 4 * 16 + c / 16 * 4 + c % 4;
    std::uint32_t sum = 0;
    for (int tap = 0; tap < kSize * kSize; ++tap) {
      const std::int8_t weight = w.filter[tap * s.out_c + channel];
      sum += static_cast<std::uint32_t>(weight);
      for (int r = 0; r < kOutRows; ++r) {
        const int in_row = tap / kSize + r * kStride, kx = tap % kSize;
        std::byte* at = block + kHeaderBytes + r * kRowBytes + kx * kColumnBytes + in_row / 4 * 256;
        at[slot * 4 + in_row % 4] = static_cast<std::byte>(weight);
      }
    }
    const auto bias = static_cast<std::uint32_t>(w.bias == nullptr ? 0 : w.bias[channel]);
    const std::uint32_t shift = static_cast<std::uint32_t>(p.input_zero_point + 128) * sum;
    reinterpret_cast<std::int32_t*>(block)[slot] = static_cast<std::int32_t>(bias - shift);
    reinterpret_cast<float*>(block + kBlock * 4)[slot] = w.scales[w.scale_is_per_channel ? channel : 0];
  }

  static void pack(const Conv2dShape& s, const Qs8Conv2dParams& p, const Qs8Conv2dWeights& w, void* packed) {
    __builtin_memset(packed, 0, packed_bytes(s));
    for (std::int64_t c = 0; c < s.out_c; ++c) {
      pack_channel(s, p, w, c, static_cast<std::byte*>(packed) + c / kChannels * kBlockBytes);
    }
  }

  struct InputRows {
    const std::int8_t* row[kInRows];  // null: outside the image
  };
  static InputRows rows_at(const Conv2dShape& s, const std::int8_t* image, std::int64_t first) {
    InputRows rows;
    for (int r = 0; r < kInRows; ++r) {
      const std::int64_t y = first + r;
      rows.row[r] = y < 0 || y >= s.in_h ? nullptr : image + y * s.in_w * s.in_pixel_stride;
    }
    return rows;
  }

  // What a register takes from a row: bytes of one column, or of two that meet the same tap.
  struct Column {
    std::int64_t offset, next;
    __mmask64 mask, next_mask;  // none if outside the image
  };

  // The bytes of a row count from -128, so that they are unsigned.
  static inline __attribute__((always_inline)) __m512i load(const std::int8_t* row, const Column& at, __m512i outside) {
    const __m512i flip = _mm512_set1_epi8(static_cast<char>(0x80));
    if (row == nullptr) return _mm512_xor_si512(outside, flip);
    if constexpr (kPairs) {
      const __m256i zero = _mm512_castsi512_si256(outside);
      const __m256i low = _mm256_mask_loadu_epi8(zero, static_cast<__mmask32>(at.mask), row + at.offset);
      const __m256i high = _mm256_mask_loadu_epi8(zero, static_cast<__mmask32>(at.next_mask), row + at.next);
      return _mm512_xor_si512(_mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1), flip);
    }
    return _mm512_xor_si512(_mm512_mask_loadu_epi8(outside, at.mask, row + at.offset), flip);
  }

  static Column column_at(const Conv2dShape& s, std::int64_t x, __mmask64 mask) {
    const std::int64_t next = x + kStride;
    const bool is_inside = x >= 0 && x < s.in_w, next_is_inside = next >= 0 && next < s.in_w;
    return {is_inside ? x * s.in_pixel_stride : 0, next_is_inside ? next * s.in_pixel_stride : 0, is_inside ? mask : 0,
            next_is_inside ? mask : 0};
  }

  static void interleave(const Conv2dShape& s, const InputRows& rows, __mmask64 mask, std::int32_t zero, std::byte* to) {
    const __m512i outside = _mm512_set1_epi8(static_cast<char>(zero));
    const std::int64_t count = columns(s);
    for (std::int64_t x = 0; x < count; ++x, to += kColumnBytes) {
      const Column at = column_at(s, x - s.pad_left, mask);
#pragma GCC unroll 2
      for (int g = 0; g < kDeep; ++g) {
        __m512i r[4];
#pragma GCC unroll 4
        for (int i = 0; i < 4; ++i) {
          r[i] = 4 * g + i < kInRows ? load(rows.row[4 * g + i < kInRows ? 4 * g + i : 0], at, outside) : outside;
        }
        const __m512i l01 = _mm512_unpacklo_epi8(r[0], r[1]), h01 = _mm512_unpackhi_epi8(r[0], r[1]);
        const __m512i l23 = _mm512_unpacklo_epi8(r[2], r[3]), h23 = _mm512_unpackhi_epi8(r[2], r[3]);
        _mm512_store_si512(to + g * 256, _mm512_unpacklo_epi16(l01, l23));
        _mm512_store_si512(to + g * 256 + 64, _mm512_unpackhi_epi16(l01, l23));
        _mm512_store_si512(to + g * 256 + 128, _mm512_unpacklo_epi16(h01, h23));
        _mm512_store_si512(to + g * 256 + 192, _mm512_unpackhi_epi16(h01, h23));
      }
    }
  }

  // GCC 12 copies and spills accumulators around its own intrinsic.
  static inline void add(__m512i& sum, __m512i x, __m512i w) { asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(x), "v"(w)); }

  struct Store {
    __m512i zero, min, max;
    __m512 high;
    __mmask64 mask;
    std::int64_t pixel_stride;
  };

  // `is_half`: the second of two columns lies outside.
  static inline __attribute__((always_inline)) void store_bytes(__m512i bytes, const Store& f, bool is_half,
                                                                std::int8_t* out) {
    if constexpr (kPairs) {
      const auto mask = static_cast<__mmask32>(f.mask);
      _mm256_mask_storeu_epi8(out, mask, _mm512_castsi512_si256(bytes));
      if (!is_half) _mm256_mask_storeu_epi8(out + f.pixel_stride, mask, _mm512_extracti64x4_epi64(bytes, 1));
    } else {
      _mm512_mask_storeu_epi8(out, f.mask, bytes);
    }
  }

  template <bool kScalesBelowOne, int kT>
  static inline __attribute__((always_inline)) void store(__m512i (&sums)[kT][4], const __m512 (&scale)[4], const Store& f,
                                                          bool ends_half, std::int8_t* out) {
#pragma GCC unroll 4
    for (int t = 0; t < kT; ++t) {
      __m512i q[4];
#pragma GCC unroll 4
      for (int j = 0; j < 4; ++j) q[j] = requantise<kScalesBelowOne>(sums[t][j], scale[j], f.high);
      const __m512i a = _mm512_adds_epi16(_mm512_packs_epi32(q[0], q[1]), f.zero);
      const __m512i b = _mm512_adds_epi16(_mm512_packs_epi32(q[2], q[3]), f.zero);
      store_bytes(limit(_mm512_packs_epi16(a, b), f.min, f.max), f, ends_half && t == kT - 1, out + t * kWide * f.pixel_stride);
    }
  }

  // On its own: what callers keep in registers would take those of sums.
  template <int kT>
  static __attribute__((noinline)) void tile(const std::byte* z, const std::byte* block, const std::byte* weights,
                                             const Store& f, bool ends_half, std::int8_t* out) {
    __m512i sums[kT][4];
#pragma GCC unroll 4
    for (int t = 0; t < kT; ++t) {
#pragma GCC unroll 4
      for (int j = 0; j < 4; ++j) sums[t][j] = _mm512_load_si512(block + 64 * j);
    }
#pragma GCC unroll 2
    for (int g = 0; g < kDeep; ++g) {
#pragma GCC unroll 4
      for (int j = 0; j < 4; ++j) {
        __m512i w[kSize];
#pragma GCC unroll 8
        for (int kx = 0; kx < kSize; ++kx) w[kx] = _mm512_load_si512(weights + kx * kColumnBytes + g * 256 + j * 64);
#pragma GCC unroll 16
        for (int i = 0; i < (kT - 1) * kStep + kSize; ++i) {
          const __m512i x = _mm512_load_si512(z + i * kColumnBytes + g * 256 + j * 64);
#pragma GCC unroll 8
          for (int kx = 0; kx < kSize; ++kx) {
            const int t = i - kx;
            if (t >= 0 && t % kStep == 0 && t / kStep < kT) add(sums[t / kStep][j], x, w[kx]);
          }
        }
      }
    }
    __m512 scale[4];
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) scale[j] = _mm512_load_ps(block + kBlock * 4 + 64 * j);
    const bool below_one = are_below_one(_mm512_max_ps(scale[0], scale[1]), _mm512_max_ps(scale[2], scale[3]));
    if (below_one) store<true>(sums, scale, f, ends_half, out);
    else store<false>(sums, scale, f, ends_half, out);
  }

  static void run_row(std::int64_t width, const std::byte* z, const std::byte* block, const std::byte* weights,
                      const Store& f, std::int8_t* out) {
    const std::int64_t all = (width + kWide - 1) / kWide, tiles = (all + kTile - 1) / kTile;
    for (std::int64_t i = 0; i < tiles; ++i) {
      const std::int64_t first = all * i / tiles, count = all * (i + 1) / tiles - first;
      const std::byte* from = z + first * kStep * kColumnBytes;
      std::int8_t* to = out + first * kWide * f.pixel_stride;
      const bool ends_half = (first + count) * kWide > width;
      switch (count) {
        case 1: tile<1>(from, block, weights, f, ends_half, to); break;
        case 2: tile<2>(from, block, weights, f, ends_half, to); break;
        case 3: tile<3>(from, block, weights, f, ends_half, to); break;
        default: tile<4>(from, block, weights, f, ends_half, to); break;
      }
    }
  }

  static void run_unit(const Conv2dShape& s, const Qs8Conv2dParams& p, const Qs8Conv2dCall& call, std::int64_t image,
                       std::int64_t y, std::int64_t b) {
    const std::int64_t channel = b * kChannels, left = s.out_c - channel, channels = left < kChannels ? left : kChannels;
    const __mmask64 mask = first_bytes(channels);
    const std::int8_t* input = call.input + image * s.in_h * s.in_w * s.in_pixel_stride + channel;
    interleave(s, rows_at(s, input, y * kStride - s.pad_top), mask, p.input_zero_point, call.scratch);
    const Store store{_mm512_set1_epi16(static_cast<short>(p.output_zero_point)), _mm512_set1_epi8(static_cast<char>(p.min)), _mm512_set1_epi8(static_cast<char>(p.max)),
                      _mm512_set1_ps(static_cast<float>(p.max - p.output_zero_point)), mask, s.out_pixel_stride};
    const std::byte* block = static_cast<const std::byte*>(call.packed) + b * kBlockBytes;
    for (std::int64_t r = 0; r < kOutRows && y + r < s.out_h; ++r) {
      std::int8_t* out = call.output + (image * s.out_h + y + r) * s.out_w * s.out_pixel_stride + channel;
      run_row(s.out_w, call.scratch, block, block + kHeaderBytes + r * kRowBytes, store, out);
      if (p.table == nullptr) continue;
      for (std::int64_t x = 0; x < s.out_w; ++x) translate_avx512(out + x * s.out_pixel_stride, channels, p.table);
    }
  }

  static void run(const Conv2dShape& s, const Qs8Conv2dParams& p, const Machine&, const Qs8Conv2dCall& call,
                  unsigned worker, unsigned workers) {
    const std::int64_t groups = row_groups(s), per_image = groups * blocks(s), all = s.batch * per_image;
    const std::int64_t begin = all * worker / workers, end = all * (worker + 1) / workers;
    for (std::int64_t i = begin; i < end; ++i) {
      run_unit(s, p, call, i / per_image, i % per_image / blocks(s) * kOutRows, i % blocks(s));
    }
  }
};

template <class Window>
constexpr Qs8Conv2dAlgorithm qs8_window(Isa isa, std::string_view name, std::string_view tile) {
  return {.name = name, .tile = tile, .isa = isa, .is_depthwise = true, .refusal = Window::refusal,
          .cycles = Window::cycles, .packed_bytes = Window::packed_bytes, .pack = Window::pack,
          .scratch_bytes = Window::scratch_bytes, .run = Window::run};
}

}  // namespace
}  // namespace etalon::kernels
