// What tiles and windows of bytes share in zmm registers.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace etalon::kernels {
namespace {

inline __mmask64 first_bytes(std::int64_t n) {
  return n >= 64 ? ~__mmask64{0} : (__mmask64{1} << static_cast<unsigned>(n)) - 1;
}

// out[i] = table[out[i]]: sixteen shuffles, each for the bytes with one upper half.
inline void translate_avx512(std::int8_t* data, std::int64_t n, const std::uint8_t* table) {
  const __m512i low_bits = _mm512_set1_epi8(0x0f);
  for (std::int64_t i = 0; i < n; i += 64) {
    const __mmask64 mask = first_bytes(n - i);
    const __m512i x = _mm512_maskz_loadu_epi8(mask, data + i);
    const __m512i low = _mm512_and_si512(x, low_bits), high = _mm512_andnot_si512(low_bits, x);
    __m512i y = _mm512_setzero_si512();
#pragma GCC unroll 16
    for (int t = 0; t < 16; ++t) {
      const __m512i line = _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(table + 16 * t)));
      y = _mm512_mask_shuffle_epi8(y, _mm512_cmpeq_epi8_mask(high, _mm512_set1_epi8(static_cast<char>(16 * t))), line, low);
    }
    _mm512_mask_storeu_epi8(data + i, mask, y);
  }
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
