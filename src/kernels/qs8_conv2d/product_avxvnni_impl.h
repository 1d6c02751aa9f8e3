// Four products per 32-bit lane of ymm registers. The instruction wants unsigned times signed bytes, so inputs count from
// -128: flipping their top bit adds 128, which what a sum starts from takes back.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace etalon::kernels {
namespace {

struct Vnni256 {
  using Stored = std::uint8_t;
  static constexpr std::int64_t kGroup = 4;
  static constexpr bool kReadsInput = true;
  static constexpr double kProductsPerCycle = 61, kGatheredPerCycle = 4, kFinishCycles = 0.3;

  // In how many parts a tile of so many registers of sums adds up: an addition takes four cycles or five, two start in each.
  static constexpr int parts(int sums) { return sums <= 2 ? 4 : sums <= 6 ? 2 : 1; }

  static std::int32_t folded(std::int32_t zero_point) { return zero_point + 128; }

  static void convert(const std::int8_t* from, std::int64_t n, std::int32_t, std::uint8_t* to) {
    const __m256i flip = _mm256_set1_epi8(static_cast<char>(0x80));
    std::int64_t i = 0;
    for (; i + 32 <= n; i += 32) {
      const __m256i x = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + i));
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + i), _mm256_xor_si256(x, flip));
    }
    for (; i + 8 <= n; i += 8) flip_bytes<std::uint64_t>(from + i, to + i);
    for (; i + 4 <= n; i += 4) flip_bytes<std::uint32_t>(from + i, to + i);
    for (; i < n; ++i) flip_bytes<std::uint8_t>(from + i, to + i);
  }
  // `runs` of `n` bytes each, `step` apart, one after the other.
  static void convert_runs(const std::int8_t* from, std::int64_t step, std::int64_t runs, std::int64_t n,
                           std::int32_t zero_point, std::uint8_t* to) {
    for (std::int64_t r = 0; r < runs; ++r) convert(from + r * step, n, zero_point, to + r * n);
  }
  static void fill(std::int64_t n, std::int32_t zero_point, std::uint8_t* to) {
    __builtin_memset(to, zero_point + 128, static_cast<std::size_t>(n));
  }

  static __m256i weights(const std::int8_t* w) { return _mm256_load_si256(reinterpret_cast<const __m256i*>(w)); }
  static __m256i input(const std::uint8_t* a) {
    int four = 0;
    __builtin_memcpy(&four, a, 4);
    return _mm256_set1_epi32(four);
  }
  static __m256i input(const std::int8_t* a) {
    int four = 0;
    __builtin_memcpy(&four, a, 4);
    return _mm256_xor_si256(_mm256_set1_epi32(four), _mm256_set1_epi8(static_cast<char>(0x80)));
  }
  // The encoding of machines without AVX-512; and GCC 12 copies and spills accumulators around its own intrinsic.
  static void add(__m256i& sum, __m256i x, __m256i w) {
    asm("%{vex%} vpdpbusd %2, %1, %0" : "+x"(sum) : "x"(x), "x"(w));
  }

 private:
  template <class Word>
  static void flip_bytes(const std::int8_t* from, std::uint8_t* to) {
    Word x;
    __builtin_memcpy(&x, from, sizeof x);
    x = static_cast<Word>(x ^ static_cast<Word>(0x8080808080808080u));
    __builtin_memcpy(to, &x, sizeof x);
  }
};

}  // namespace
}  // namespace etalon::kernels
