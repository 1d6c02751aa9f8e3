// What products on tiles need besides tiles, in zmm registers; amx_plain_impl.h says what that is.
#pragma once

#include "kernels/qs8_conv2d/amx_impl.h"
#include "kernels/qs8_conv2d/bytes_avx512_impl.h"
#include "kernels/qs8_conv2d/qs8_conv2d.h"

namespace etalon::kernels {
namespace {

struct Bytes512 {
  using Stored = std::int8_t;
  static constexpr std::int64_t kGroup = kChunk, kColumns = kPanel, kNarrowColumns = kTileColumns, kRows = kTileRows;
  static constexpr bool kReadsInput = true;

  static void convert(const std::int8_t* from, std::int64_t n, std::int32_t, std::int8_t* to) {
    for (std::int64_t i = 0; i < n; i += 64) {
      _mm512_storeu_si512(to + i, _mm512_maskz_loadu_epi8(first_bytes(n - i), from + i));
    }
  }
  // Wider stores than the runs need would run into each other.
  static void convert_runs(const std::int8_t* from, std::int64_t step, std::int64_t runs, std::int64_t n,
                           std::int32_t zero_point, std::int8_t* to) {
    const __mmask64 mask = first_bytes(n);
    if (n <= 16) {
      for (std::int64_t r = 0; r < runs; ++r, from += step, to += n) {
        _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm_maskz_loadu_epi8(static_cast<__mmask16>(mask), from));
      }
    } else if (n <= 32) {
      for (std::int64_t r = 0; r < runs; ++r, from += step, to += n) {
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm256_maskz_loadu_epi8(static_cast<__mmask32>(mask), from));
      }
    } else {
      for (std::int64_t r = 0; r < runs; ++r, from += step, to += n) convert(from, n, zero_point, to);
    }
  }
  static void fill(std::int64_t n, std::int32_t zero_point, std::int8_t* to) {
    const __m512i value = _mm512_set1_epi8(static_cast<char>(zero_point));
    for (std::int64_t i = 0; i < n; i += 64) _mm512_storeu_si512(to + i, value);
  }
};

template <bool kScalesBelowOne>
struct Requantised512 {
  static constexpr std::int64_t kHeaderBytes = 8 * kPanel, kPixelBytes = 0;

  Qs8Conv2dParams params;
  std::int8_t* output;
  std::int64_t out_stride;

  // Channels lie as two rounds of packing want them.
  static std::int64_t slot(std::int64_t c) { return c % 8 / 4 * 16 + c / 8 * 4 + c % 4; }
  void take_pixels(std::int64_t, std::int64_t, std::byte*) {}
  std::int32_t zero_of(std::int64_t) const { return params.input_zero_point; }

  template <int kWide>
  ETALON_INLINE void rows(const TileSums& sums, std::int64_t begin, std::int64_t end) const {
    const Ends ends(*this, sums);
    if constexpr (kWide == 2) rows_of_two(ends, begin, end);
    else rows_of_one(ends, begin, end);
  }

 private:
  // All that rows need, in registers: bytes that are stored might else be any of it.
  struct Ends {
    const std::int32_t* sums;
    const std::int64_t* targets;
    const std::uint8_t* table;
    std::int8_t* output;
    std::int64_t out_stride;
    __mmask64 columns;
    __m512 s0, s1, high;
    __m512i zero, min, max;

    ETALON_INLINE Ends(const Requantised512& r, const TileSums& t)
        : sums(t.at[0]), targets(t.targets), table(r.params.table), output(r.output + t.channel),
          out_stride(r.out_stride), columns(first_bytes(t.columns)), s0(_mm512_load_ps(t.panel + 4 * kPanel)),
          s1(_mm512_load_ps(t.panel + 4 * kPanel + 64)),
          high(_mm512_set1_ps(static_cast<float>(r.params.max - r.params.output_zero_point))),
          zero(_mm512_set1_epi16(static_cast<short>(r.params.output_zero_point))),
          min(_mm512_set1_epi8(static_cast<char>(r.params.min))), max(_mm512_set1_epi8(static_cast<char>(r.params.max))) {}

    // Where a row goes; what is dropped goes where it disturbs nobody.
    ETALON_INLINE std::int8_t* target(std::int64_t row, std::int8_t* dropped) const {
      return targets[row] < 0 ? dropped : output + targets[row] * out_stride;
    }
    ETALON_INLINE __m512i scaled(std::int64_t row, int tile) const {
      const __m512i sum = _mm512_load_si512(sums + row * kPanel + tile * kTileColumns);
      return requantise<kScalesBelowOne>(sum, tile == 0 ? s0 : s1, high);
    }
    ETALON_INLINE __m512i bytes(__m512i low_words, __m512i high_words) const {
      const __m512i all = _mm512_packs_epi16(_mm512_adds_epi16(low_words, zero), _mm512_adds_epi16(high_words, zero));
      const __m512i limited = limit(all, min, max);
      return table == nullptr ? limited : look_up_bytes(byte_table(table), limited);
    }
  };

  static ETALON_INLINE void rows_of_two(const Ends& e, std::int64_t begin, std::int64_t end) {
    const __m512i order = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7);
    const auto mask = static_cast<__mmask32>(e.columns);
    alignas(64) std::int8_t dropped[kPanel];
    for (std::int64_t i = begin; i < end; i += 2) {
      const __m512i a = _mm512_packs_epi32(e.scaled(i, 0), e.scaled(i, 1));
      const __m512i b = _mm512_packs_epi32(e.scaled(i + 1, 0), e.scaled(i + 1, 1));
      const __m512i both = _mm512_permutexvar_epi64(order, e.bytes(a, b));
      _mm256_mask_storeu_epi8(e.target(i, dropped), mask, _mm512_castsi512_si256(both));
      if (i + 1 == end) break;
      _mm256_mask_storeu_epi8(e.target(i + 1, dropped), mask, _mm512_extracti64x4_epi64(both, 1));
    }
  }

  static ETALON_INLINE void rows_of_one(const Ends& e, std::int64_t begin, std::int64_t end) {
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    const auto mask = static_cast<__mmask16>(e.columns);
    alignas(64) std::int8_t dropped[kPanel];
    for (std::int64_t i = begin; i < end; i += 4) {
      const __m512i a = _mm512_packs_epi32(e.scaled(i, 0), e.scaled(i + 1, 0));
      const __m512i b = _mm512_packs_epi32(e.scaled(i + 2, 0), e.scaled(i + 3, 0));
      const __m512i four = _mm512_permutexvar_epi32(order, e.bytes(a, b));
      _mm_mask_storeu_epi8(e.target(i, dropped), mask, _mm512_castsi512_si128(four));
      if (i + 1 < end) _mm_mask_storeu_epi8(e.target(i + 1, dropped), mask, _mm512_extracti32x4_epi32(four, 1));
      if (i + 2 < end) _mm_mask_storeu_epi8(e.target(i + 2, dropped), mask, _mm512_extracti32x4_epi32(four, 2));
      if (i + 3 < end) _mm_mask_storeu_epi8(e.target(i + 3, dropped), mask, _mm512_extracti32x4_epi32(four, 3));
    }
  }
};

}  // namespace
}  // namespace etalon::kernels
