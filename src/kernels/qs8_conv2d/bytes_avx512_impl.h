// What tiles and windows of bytes share in zmm registers.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace etalon::kernels {
namespace {

inline __mmask64 first_bytes(std::int64_t n) {
  return n >= 64 ? ~__mmask64{0} : (__mmask64{1} << static_cast<unsigned>(n)) - 1;
}

struct ByteTable {
  __m512i part[4];
};

// Of bytes in 16-bit lanes: the pair of bytes that holds the one wanted, and then that one. Its neighbour may stay above.
inline __m512i look_up(const ByteTable& table, __m512i bytes) {
  const __m512i pair = _mm512_srli_epi16(bytes, 1);
  const __m512i low = _mm512_permutex2var_epi16(table.part[0], pair, table.part[1]);
  const __m512i high = _mm512_permutex2var_epi16(table.part[2], pair, table.part[3]);
  const __mmask32 is_high = _mm512_test_epi16_mask(bytes, _mm512_set1_epi16(0x80));
  const __m512i shift = _mm512_slli_epi16(_mm512_and_si512(bytes, _mm512_set1_epi16(1)), 3);
  return _mm512_srlv_epi16(_mm512_mask_blend_epi16(is_high, low, high), shift);
}

inline ByteTable byte_table(const std::uint8_t* table) {
  return {_mm512_loadu_si512(table), _mm512_loadu_si512(table + 64), _mm512_loadu_si512(table + 128),
          _mm512_loadu_si512(table + 192)};
}

// Of every byte; with permutations of 16-bit lanes, as those of bytes are not part of this ISA.
inline __m512i look_up_bytes(const ByteTable& table, __m512i bytes) {
  const __m512i even = look_up(table, _mm512_and_si512(bytes, _mm512_set1_epi16(0xff)));
  const __m512i odd = _mm512_slli_epi16(look_up(table, _mm512_srli_epi16(bytes, 8)), 8);
  return _mm512_mask_blend_epi8(0xaaaaaaaaaaaaaaaau, even, odd);
}

// out[i] = table[x[i]]
inline void translate_avx512(const std::int8_t* x, std::int8_t* out, std::int64_t n, const std::uint8_t* table) {
  const ByteTable parts = byte_table(table);
  for (std::int64_t i = 0; i < n; i += 64) {
    const __mmask64 mask = first_bytes(n - i);
    _mm512_mask_storeu_epi8(out + i, mask, look_up_bytes(parts, _mm512_maskz_loadu_epi8(mask, x + i)));
  }
}
inline void translate_avx512(std::int8_t* data, std::int64_t n, const std::uint8_t* table) {
  translate_avx512(data, data, n, table);
}

// Scaled and rounded. The conversion gives the smallest integer for what is too large, so `high` cuts that before, unless
// scales below one rule it out; all else is cut by narrowing with saturation.
template <bool kScalesBelowOne>
inline __m512i requantise(__m512i sum, __m512 scale, __m512 high) {
  const __m512 scaled = _mm512_mul_ps(_mm512_cvtepi32_ps(sum), scale);
  return _mm512_cvtps_epi32(kScalesBelowOne ? scaled : _mm512_min_ps(scaled, high));
}
inline bool are_below_one(__m512 a, __m512 b) {
  const __m512 one = _mm512_set1_ps(1);
  return _mm512_cmp_ps_mask(_mm512_max_ps(a, b), one, _CMP_NLT_US) == 0;
}
inline __m512i limit(__m512i bytes, __m512i min, __m512i max) { return _mm512_min_epi8(_mm512_max_epi8(bytes, min), max); }

}  // namespace
}  // namespace etalon::kernels
