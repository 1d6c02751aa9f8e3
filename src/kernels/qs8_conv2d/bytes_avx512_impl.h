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

inline ByteTable byte_table(const std::uint8_t* table) {
  return {_mm512_loadu_si512(table), _mm512_loadu_si512(table + 64), _mm512_loadu_si512(table + 128),
          _mm512_loadu_si512(table + 192)};
}

#if defined(__AVX512VBMI__)
inline __m512i look_up_bytes(const ByteTable& table, __m512i bytes) {
  const __m512i low = _mm512_permutex2var_epi8(table.part[0], bytes, table.part[1]);
  const __m512i high = _mm512_permutex2var_epi8(table.part[2], bytes, table.part[3]);
  return _mm512_mask_blend_epi8(_mm512_movepi8_mask(bytes), low, high);
}
#else
// Permutations of bytes are not part of this ISA, but those of 16-bit lanes are, which find pairs of bytes: six bits of
// an index choose a pair in each half of the table, its top bit the half and its last bit one of the pair.
inline __m512i look_up_bytes(const ByteTable& table, __m512i bytes) {
  const auto pairs = [&](__m512i index, __mmask32 is_high) {
    return _mm512_mask_blend_epi16(is_high, _mm512_permutex2var_epi16(table.part[0], index, table.part[1]),
                                   _mm512_permutex2var_epi16(table.part[2], index, table.part[3]));
  };
  constexpr __mmask64 kOdd = 0xaaaaaaaaaaaaaaaau;
  const __m512i even = pairs(_mm512_srli_epi16(bytes, 1), _mm512_test_epi16_mask(bytes, _mm512_set1_epi16(0x80)));
  const __m512i odd = pairs(_mm512_srli_epi16(bytes, 9), _mm512_movepi16_mask(bytes));
  const __m512i first = _mm512_mask_blend_epi8(kOdd, even, _mm512_slli_epi16(odd, 8));
  const __m512i second = _mm512_mask_blend_epi8(kOdd, _mm512_srli_epi16(even, 8), odd);
  return _mm512_mask_blend_epi8(_mm512_test_epi8_mask(bytes, _mm512_set1_epi8(1)), first, second);
}
#endif

// out[i] = table[x[i]]
inline void translate_avx512(const std::int8_t* x, std::int8_t* out, std::int64_t n, const std::uint8_t* table) {
  const ByteTable parts = byte_table(table);
  std::int64_t i = 0;
  for (; i + 64 <= n; i += 64) _mm512_storeu_si512(out + i, look_up_bytes(parts, _mm512_loadu_si512(x + i)));
  if (i == n) return;
  const __mmask64 mask = first_bytes(n - i);
  _mm512_mask_storeu_epi8(out + i, mask, look_up_bytes(parts, _mm512_maskz_loadu_epi8(mask, x + i)));
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
