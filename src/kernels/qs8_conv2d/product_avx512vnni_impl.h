// Four products per 32-bit lane. The instruction wants unsigned times signed bytes, so inputs count from -128: flipping
// their top bit adds 128, which what a sum starts from takes back.
#pragma once

#include "kernels/qs8_conv2d/bytes_avx512_impl.h"

namespace etalon::kernels {
namespace {

struct Vnni {
  using Stored = std::uint8_t;
  static constexpr std::int64_t kGroup = 4;
  static constexpr bool kReadsInput = true;
  static constexpr double kProductsPerCycle = 128, kGatheredPerCycle = 16, kFinishCycles = 0.15;

  // In how many parts a tile of so many registers of sums adds up: an addition takes four cycles, two start in each.
  static constexpr int parts(int sums) { return sums <= 4 ? 4 : sums <= 8 ? 2 : 1; }

  static std::int32_t folded(std::int32_t zero_point) { return zero_point + 128; }

  static void convert(const std::int8_t* from, std::int64_t n, std::int32_t, std::uint8_t* to) {
    const __m512i flip = _mm512_set1_epi8(static_cast<char>(0x80));
    for (std::int64_t i = 0; i < n; i += 64) {
      _mm512_storeu_si512(to + i, _mm512_xor_si512(_mm512_maskz_loadu_epi8(first_bytes(n - i), from + i), flip));
    }
  }
  // Wider stores than the runs need would run into each other.
  static void convert_runs(const std::int8_t* from, std::int64_t step, std::int64_t runs, std::int64_t n,
                           std::int32_t zero_point, std::uint8_t* to) {
    const __m512i flip = _mm512_set1_epi8(static_cast<char>(0x80));
    const __mmask64 mask = first_bytes(n);
    if (n <= 16) {
      for (std::int64_t r = 0; r < runs; ++r, from += step, to += n) {
        const __m128i x = _mm_maskz_loadu_epi8(static_cast<__mmask16>(mask), from);
        _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm_xor_si128(x, _mm512_castsi512_si128(flip)));
      }
    } else if (n <= 32) {
      for (std::int64_t r = 0; r < runs; ++r, from += step, to += n) {
        const __m256i x = _mm256_maskz_loadu_epi8(static_cast<__mmask32>(mask), from);
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm256_xor_si256(x, _mm512_castsi512_si256(flip)));
      }
    } else {
      for (std::int64_t r = 0; r < runs; ++r, from += step, to += n) convert(from, n, zero_point, to);
    }
  }
  static void fill(std::int64_t n, std::int32_t zero_point, std::uint8_t* to) {
    const __m512i value = _mm512_set1_epi8(static_cast<char>(zero_point + 128));
    for (std::int64_t i = 0; i < n; i += 64) _mm512_storeu_si512(to + i, value);
  }

  static __m512i weights(const std::int8_t* w) { return _mm512_load_si512(w); }
  static __m512i input(const std::uint8_t* a) {
    int four = 0;
    __builtin_memcpy(&four, a, 4);
    return _mm512_set1_epi32(four);
  }
  static __m512i input(const std::int8_t* a) {
    int four = 0;
    __builtin_memcpy(&four, a, 4);
    return _mm512_xor_si512(_mm512_set1_epi32(four), _mm512_set1_epi8(static_cast<char>(0x80)));
  }
  // GCC 12 copies and spills accumulators around its own intrinsic.
  static void add(__m512i& sum, __m512i x, __m512i w) { asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(x), "v"(w)); }
};

}  // namespace
}  // namespace etalon::kernels
