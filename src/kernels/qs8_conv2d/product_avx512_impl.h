// Pairs of 16-bit products. Inputs are widened, less their zero point, when they are gathered.
#pragma once

#include "kernels/qs8_conv2d/bytes_avx512_impl.h"

namespace etalon::kernels {
namespace {

struct Pairs {
  using Stored = std::int16_t;
  static constexpr std::int64_t kGroup = 2;
  static constexpr bool kReadsInput = false;
  static constexpr double kProductsPerCycle = 40, kGatheredPerCycle = 10, kFinishCycles = 0.15;

  // In how many parts a tile of so many registers of sums adds up: an addition takes one cycle, the loop's end one more.
  static constexpr int parts(int sums) { return sums <= 2 ? 4 : 1; }

  static std::int32_t folded(std::int32_t) { return 0; }

  static void convert(const std::int8_t* from, std::int64_t n, std::int32_t zero_point, std::int16_t* to) {
    const __m512i zero = _mm512_set1_epi16(static_cast<short>(zero_point));
    for (std::int64_t i = 0; i < n; i += 32) {
      const __m256i bytes = _mm256_maskz_loadu_epi8(static_cast<__mmask32>(first_bytes(n - i)), from + i);
      _mm512_storeu_si512(to + i, _mm512_sub_epi16(_mm512_cvtepi8_epi16(bytes), zero));
    }
  }
  // `runs` of `n` bytes each, `step` apart, one after the other.
  static void convert_runs(const std::int8_t* from, std::int64_t step, std::int64_t runs, std::int64_t n,
                           std::int32_t zero_point, std::int16_t* to) {
    for (std::int64_t r = 0; r < runs; ++r) convert(from + r * step, n, zero_point, to + r * n);
  }
  static void fill(std::int64_t n, std::int32_t, std::int16_t* to) {
    for (std::int64_t i = 0; i < n; i += 32) _mm512_storeu_si512(to + i, _mm512_setzero_si512());
  }

  static __m512i weights(const std::int8_t* w) {
    return _mm512_cvtepi8_epi16(_mm256_load_si256(reinterpret_cast<const __m256i*>(w)));
  }
  static __m512i input(const std::int16_t* a) {
    int two = 0;
    __builtin_memcpy(&two, a, 4);
    return _mm512_set1_epi32(two);
  }
  static void add(__m512i& sum, __m512i x, __m512i w) { sum = _mm512_add_epi32(sum, _mm512_madd_epi16(x, w)); }
};

}  // namespace
}  // namespace etalon::kernels
