// Pairs of 16-bit products: the instruction for bytes saturates with full-range weights, so everything is widened,
// inputs (less their zero point) when they are gathered and weights as they are read.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace etalon::kernels {
namespace {

struct Pairs256 {
  using Stored = std::int16_t;  // of gathered inputs
  static constexpr std::int64_t kGroup = 2;  // taps that one step multiplies
  static constexpr bool kReadsInput = false;
  static constexpr double kProductsPerCycle = 20, kGatheredPerCycle = 8, kFinishCycles = 0.4;

  // In how many parts a tile of so many registers of sums adds up: an addition takes one cycle, the loop's end one more.
  static constexpr int parts(int sums) { return sums <= 2 ? 4 : 1; }

  // What a sum starts with takes back for every unit of weight.
  static std::int32_t folded(std::int32_t) { return 0; }

  static void convert(const std::int8_t* from, std::int64_t n, std::int32_t zero_point, std::int16_t* to) {
    const __m256i zero = _mm256_set1_epi16(static_cast<short>(zero_point));
    std::int64_t i = 0;
    for (; i + 16 <= n; i += 16) {
      const __m256i x = _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i)));
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + i), _mm256_sub_epi16(x, zero));
    }
    for (; i < n; ++i) to[i] = static_cast<std::int16_t>(from[i] - zero_point);
  }
  // `runs` of `n` bytes each, `step` apart, one after the other.
  static void convert_runs(const std::int8_t* from, std::int64_t step, std::int64_t runs, std::int64_t n,
                           std::int32_t zero_point, std::int16_t* to) {
    for (std::int64_t r = 0; r < runs; ++r) convert(from + r * step, n, zero_point, to + r * n);
  }
  static void fill(std::int64_t n, std::int32_t, std::int16_t* to) {
    __builtin_memset(to, 0, static_cast<std::size_t>(n) * 2);
  }

  static __m256i weights(const std::int8_t* w) {
    return _mm256_cvtepi8_epi16(_mm_load_si128(reinterpret_cast<const __m128i*>(w)));
  }
  static __m256i input(const std::int16_t* a) {
    int two = 0;
    __builtin_memcpy(&two, a, 4);
    return _mm256_set1_epi32(two);
  }
  static void add(__m256i& sum, __m256i x, __m256i w) { sum = _mm256_add_epi32(sum, _mm256_madd_epi16(x, w)); }
};

}  // namespace
}  // namespace etalon::kernels
