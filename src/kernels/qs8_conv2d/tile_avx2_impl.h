// Tiles of 4 or 6 pixels by 16 channels in ymm registers, for any way to multiply (`Product`) and any end of a sum:
// start_sums() and store_sums() are found by the type of what finishes it, `Ends`. Those for int8 results are here.
#pragma once

#include <immintrin.h>

#include "kernels/qs8_conv2d/dense_impl.h"

namespace etalon::kernels {
namespace {

inline __m256i requantise(__m256i sum, __m256 scale, __m256 high) {
  return _mm256_cvtps_epi32(_mm256_min_ps(_mm256_mul_ps(_mm256_cvtepi32_ps(sum), scale), high));
}
inline void store(std::int8_t* out, __m128i bytes, std::int64_t columns) {
  if (columns == 16) return _mm_storeu_si128(reinterpret_cast<__m128i*>(out), bytes);
  alignas(16) std::int8_t all[16];
  _mm_store_si128(reinterpret_cast<__m128i*>(all), bytes);
  __builtin_memcpy(out, all, static_cast<std::size_t>(columns));
}

template <int kV>
inline __attribute__((always_inline)) void start_sums(__m256i (&sums)[kV], const Finish& f, int) {
#pragma GCC unroll 2
  for (int j = 0; j < kV; ++j) sums[j] = _mm256_load_si256(reinterpret_cast<const __m256i*>(f.bias + 8 * j));
}

template <int kR, int kV>
inline __attribute__((always_inline)) void store_sums(__m256i (&sums)[kR][kV], const Finish& f, std::int8_t* out,
                                                      std::int64_t out_stride, std::int64_t columns) {
  const __m256 high = _mm256_set1_ps(f.high);
  const __m256i zero = _mm256_set1_epi16(static_cast<short>(f.zero_point));
  const __m128i min = _mm_set1_epi8(static_cast<char>(f.min));
#pragma GCC unroll 8
  for (int i = 0; i < kR; ++i) {
    const __m256i first = requantise(sums[i][0], _mm256_load_ps(f.scales), high);
    const __m256i second = kV == 2 ? requantise(sums[i][kV - 1], _mm256_load_ps(f.scales + 8), high) : first;
    // Half a register holds four channels of each; with one register they must be put next to each other first.
    const __m256i words = _mm256_adds_epi16(_mm256_packs_epi32(first, second), zero);
    __m128i bytes = _mm_packs_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
    if (kV == 1) bytes = _mm_shuffle_epi32(bytes, 0b10'00'10'00);
    store(out + i * out_stride, _mm_max_epi8(bytes, min), columns);
  }
}

template <class Product, int kMostRows = 4>
struct Tiles256 : Product {
  using Stored = typename Product::Stored;
  static constexpr std::int64_t kColumns = 16, kNarrowColumns = 8, kRows = kMostRows;

  static std::int64_t slot(std::int64_t c) { return c % 8 / 4 * 8 + c / 8 * 4 + c % 4; }
  static std::int64_t narrow_slot(std::int64_t c) { return c; }

  template <int kR, int kV, class In>
  static __attribute__((always_inline)) void step(__m256i (&sums)[kR][kV], const In* a, std::int64_t a_stride,
                                                  const std::int8_t* w) {
    __m256i b[kV];
#pragma GCC unroll 2
    for (int j = 0; j < kV; ++j) b[j] = Product::weights(w + j * 8 * Product::kGroup);
#pragma GCC unroll 8
    for (int i = 0; i < kR; ++i) {
      const __m256i x = Product::input(a + i * a_stride);
#pragma GCC unroll 2
      for (int j = 0; j < kV; ++j) Product::add(sums[i][j], x, b[j]);
    }
  }

  template <int kR, int kV>
  static __attribute__((always_inline)) void clear(__m256i (&sums)[kR][kV]) {
#pragma GCC unroll 8
    for (int i = 0; i < kR; ++i) {
#pragma GCC unroll 2
      for (int j = 0; j < kV; ++j) {
        sums[i][j] = _mm256_setzero_si256();
        asm("" : "+x"(sums[i][j]));  // else GCC knows that all are equal, and copies them around
      }
    }
  }
  template <int kR, int kV>
  static __attribute__((always_inline)) void gain(__m256i (&sums)[kR][kV], const __m256i (&part)[kR][kV]) {
#pragma GCC unroll 8
    for (int i = 0; i < kR; ++i) {
#pragma GCC unroll 2
      for (int j = 0; j < kV; ++j) sums[i][j] = _mm256_add_epi32(sums[i][j], part[i][j]);
    }
  }

  // As many steps as there are whole rounds of kParts, every one of a round into sums of its own: few rows would else
  // wait for one addition after another, and not for their weights. Returns the steps done.
  template <int kParts, int kR, int kV, class In>
  static __attribute__((always_inline)) std::int64_t rounds(__m256i (&sums)[kR][kV], const In* a, std::int64_t a_stride,
                                                            const std::int8_t* w, std::int64_t steps) {
    constexpr std::int64_t kStep = kV * 8 * Product::kGroup;
    if (steps < kParts) return 0;
    __m256i parts[kParts - 1][kR][kV];
#pragma GCC unroll 4
    for (int p = 0; p < kParts - 1; ++p) clear(parts[p]);
    std::int64_t k = 0;
    for (; k + kParts <= steps; k += kParts, a += kParts * Product::kGroup, w += kParts * kStep) {
      step(sums, a, a_stride, w);
#pragma GCC unroll 4
      for (int p = 1; p < kParts; ++p) step(parts[p - 1], a + p * Product::kGroup, a_stride, w + p * kStep);
    }
#pragma GCC unroll 4
    for (int p = 0; p < kParts - 1; ++p) gain(sums, parts[p]);
    return k;
  }

  // Input is read either as gathered or, if `In` is that of the tensor, in place.
  template <int kR, int kV, class In, class Ends, class Out>
  static void compute(const In* a, std::int64_t a_stride, const std::int8_t* w, std::int64_t steps, const Ends& ends,
                      Out* out, std::int64_t out_stride, std::int64_t columns) {
    constexpr int kParts = Product::parts(kR * kV);
    constexpr std::int64_t kStep = kV * 8 * Product::kGroup;
    __m256i sums[kR][kV];
#pragma GCC unroll 8
    for (int i = 0; i < kR; ++i) start_sums(sums[i], ends, i);
    std::int64_t k = 0;
    if constexpr (kParts > 1) {
      k = rounds<kParts>(sums, a, a_stride, w, steps);
      a += k * Product::kGroup, w += k * kStep;
    }
    for (; k < steps; ++k, a += Product::kGroup, w += kStep) step(sums, a, a_stride, w);
    store_sums(sums, ends, out, out_stride, columns);
  }

  template <int kV, class In, class Ends, class Out>
  static void tile_of(std::int64_t rows, const In* a, std::int64_t a_stride, const std::int8_t* w, std::int64_t steps,
                      const Ends& ends, Out* out, std::int64_t out_stride, std::int64_t columns) {
    switch (rows) {
      case 1: return compute<1, kV>(a, a_stride, w, steps, ends, out, out_stride, columns);
      case 2: return compute<2, kV>(a, a_stride, w, steps, ends, out, out_stride, columns);
      case 3: return compute<3, kV>(a, a_stride, w, steps, ends, out, out_stride, columns);
      case 4: return compute<4, kV>(a, a_stride, w, steps, ends, out, out_stride, columns);
      default: break;
    }
    if constexpr (kRows == 6) {
      if (rows == 5) compute<5, kV>(a, a_stride, w, steps, ends, out, out_stride, columns);
      else compute<6, kV>(a, a_stride, w, steps, ends, out, out_stride, columns);
    }
  }

  // `rows` <= kRows pixels `a_stride` apart, `steps` groups of taps; writes `columns` channels of each.
  template <class In, class Ends, class Out>
  static void tile(std::int64_t rows, bool is_narrow, const In* a, std::int64_t a_stride, const std::int8_t* w,
                   std::int64_t steps, const Ends& ends, Out* out, std::int64_t out_stride, std::int64_t columns) {
    if (is_narrow) tile_of<1>(rows, a, a_stride, w, steps, ends, out, out_stride, columns);
    else tile_of<2>(rows, a, a_stride, w, steps, ends, out, out_stride, columns);
  }

  static void translate(std::int8_t* data, std::int64_t n, const std::uint8_t* table) {
    for (std::int64_t i = 0; i < n; ++i) data[i] = static_cast<std::int8_t>(table[static_cast<std::uint8_t>(data[i])]);
  }
};

}  // namespace
}  // namespace etalon::kernels
