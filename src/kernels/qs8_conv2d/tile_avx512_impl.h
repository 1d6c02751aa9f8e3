// Tiles of 8 pixels by 32 channels in zmm registers, for any way to multiply (`Product`) and any end of a sum:
// start_sums() and store_sums() are found by the type of what finishes it, `Ends`. Those for int8 results are here.
#pragma once

#include <immintrin.h>

#include "kernels/qs8_conv2d/bytes_avx512_impl.h"
#include "kernels/qs8_conv2d/dense_impl.h"

namespace etalon::kernels {
namespace {

// Rows `i` and `i + 1` become 64 bytes at once. Channels lie in their panel as two rounds of packing want it.
template <bool kScalesBelowOne, int kR>
inline __attribute__((always_inline)) void store_wide(__m512i (&sums)[kR][2], const Finish& f, std::int8_t* out,
                                                      std::int64_t out_stride, std::int64_t columns) {
  const __m512 s0 = _mm512_load_ps(f.scales), s1 = _mm512_load_ps(f.scales + 16), high = _mm512_set1_ps(f.high);
  const __m512i zero = _mm512_set1_epi16(static_cast<short>(f.zero_point)), min = _mm512_set1_epi8(static_cast<char>(f.min));
  const __m512i max = _mm512_set1_epi8(static_cast<char>(f.max));
  const __m512i order = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7);
  const auto mask = static_cast<__mmask32>(first_bytes(columns));
#pragma GCC unroll 8
  for (int i = 0; i < kR; i += 2) {
    const int next = i + 1 < kR ? i + 1 : i;
    const __m512i a = _mm512_packs_epi32(requantise<kScalesBelowOne>(sums[i][0], s0, high), requantise<kScalesBelowOne>(sums[i][1], s1, high));
    __m512i b = a;
    if (next != i) b = _mm512_packs_epi32(requantise<kScalesBelowOne>(sums[next][0], s0, high), requantise<kScalesBelowOne>(sums[next][1], s1, high));
    __m512i both = _mm512_packs_epi16(_mm512_adds_epi16(a, zero), _mm512_adds_epi16(b, zero));
    both = _mm512_permutexvar_epi64(order, limit(both, min, max));
    _mm256_mask_storeu_epi8(out + i * out_stride, mask, _mm512_castsi512_si256(both));
    if (next != i) _mm256_mask_storeu_epi8(out + next * out_stride, mask, _mm512_extracti64x4_epi64(both, 1));
  }
}

template <int kR>
inline __attribute__((always_inline)) void store_narrow(__m512i (&sums)[kR][1], const Finish& f, std::int8_t* out,
                                                        std::int64_t out_stride, std::int64_t columns) {
  const __m512 scale = _mm512_load_ps(f.scales), high = _mm512_set1_ps(f.high);
  const __m512i zero = _mm512_set1_epi32(f.zero_point);
  const __m128i min = _mm_set1_epi8(static_cast<char>(f.min));
  const auto mask = static_cast<__mmask16>(first_bytes(columns));
#pragma GCC unroll 8
  for (int i = 0; i < kR; ++i) {
    // The smallest integer stays below all bytes when the zero point is added, unless that wraps around.
    const __m512i least = _mm512_set1_epi32(-1024);
    const __m512i rounded = _mm512_max_epi32(requantise<false>(sums[i][0], scale, high), least);
    const __m128i bytes = _mm_max_epi8(_mm512_cvtsepi32_epi8(_mm512_add_epi32(rounded, zero)), min);
    _mm_mask_storeu_epi8(out + i * out_stride, mask, bytes);
  }
}

template <int kV>
inline __attribute__((always_inline)) void start_sums(__m512i (&sums)[kV], const Finish& f, int) {
#pragma GCC unroll 2
  for (int j = 0; j < kV; ++j) sums[j] = _mm512_load_si512(f.bias + 16 * j);
}

template <int kR, int kV>
inline __attribute__((always_inline)) void store_sums(__m512i (&sums)[kR][kV], const Finish& f, std::int8_t* out,
                                                      std::int64_t out_stride, std::int64_t columns) {
  if constexpr (kV == 1) {
    store_narrow<kR>(sums, f, out, out_stride, columns);
  } else if (are_below_one(_mm512_load_ps(f.scales), _mm512_load_ps(f.scales + 16))) {
    store_wide<true>(sums, f, out, out_stride, columns);
  } else {
    store_wide<false>(sums, f, out, out_stride, columns);
  }
}

template <class Product>
struct Tiles512 : Product {
  using Stored = typename Product::Stored;
  static constexpr std::int64_t kColumns = 32, kNarrowColumns = 16, kRows = 8;

  static std::int64_t slot(std::int64_t c) { return c % 8 / 4 * 16 + c / 8 * 4 + c % 4; }
  static std::int64_t narrow_slot(std::int64_t c) { return c; }

  template <int kR, int kV, class In>
  static __attribute__((always_inline)) void step(__m512i (&sums)[kR][kV], const In* a, std::int64_t a_stride,
                                                  const std::int8_t* w) {
    __m512i b[kV];
#pragma GCC unroll 2
    for (int j = 0; j < kV; ++j) b[j] = Product::weights(w + j * 16 * Product::kGroup);
#pragma GCC unroll 8
    for (int i = 0; i < kR; ++i) {
      const __m512i x = Product::input(a + i * a_stride);
#pragma GCC unroll 2
      for (int j = 0; j < kV; ++j) Product::add(sums[i][j], x, b[j]);
    }
  }

  template <int kR, int kV>
  static __attribute__((always_inline)) void clear(__m512i (&sums)[kR][kV]) {
#pragma GCC unroll 8
    for (int i = 0; i < kR; ++i) {
#pragma GCC unroll 2
      for (int j = 0; j < kV; ++j) {
        sums[i][j] = _mm512_setzero_si512();
        asm("" : "+v"(sums[i][j]));  // else GCC knows that all are equal, and copies them around
      }
    }
  }
  template <int kR, int kV>
  static __attribute__((always_inline)) void gain(__m512i (&sums)[kR][kV], const __m512i (&part)[kR][kV]) {
#pragma GCC unroll 8
    for (int i = 0; i < kR; ++i) {
#pragma GCC unroll 2
      for (int j = 0; j < kV; ++j) sums[i][j] = _mm512_add_epi32(sums[i][j], part[i][j]);
    }
  }

  // As many steps as there are whole rounds of kParts, every one of a round into sums of its own: few rows would else
  // wait for one addition after another, and not for their weights. Returns the steps done.
  template <int kParts, int kR, int kV, class In>
  static __attribute__((always_inline)) std::int64_t rounds(__m512i (&sums)[kR][kV], const In* a, std::int64_t a_stride,
                                                            const std::int8_t* w, std::int64_t steps) {
    constexpr std::int64_t kStep = kV * 16 * Product::kGroup;
    if (steps < kParts) return 0;
    __m512i parts[kParts - 1][kR][kV];
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
    // Many rows of few channels are bound by reading input.
    constexpr int kParts = kR > 4 ? 1 : Product::parts(kR * kV);
    constexpr std::int64_t kStep = kV * 16 * Product::kGroup;
    __m512i sums[kR][kV];
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
      case 5: return compute<5, kV>(a, a_stride, w, steps, ends, out, out_stride, columns);
      case 6: return compute<6, kV>(a, a_stride, w, steps, ends, out, out_stride, columns);
      case 7: return compute<7, kV>(a, a_stride, w, steps, ends, out, out_stride, columns);
      default: return compute<8, kV>(a, a_stride, w, steps, ends, out, out_stride, columns);
    }
  }

  template <class In, class Ends, class Out>
  static void tile(std::int64_t rows, bool is_narrow, const In* a, std::int64_t a_stride, const std::int8_t* w,
                   std::int64_t steps, const Ends& ends, Out* out, std::int64_t out_stride, std::int64_t columns) {
    if (is_narrow) tile_of<1>(rows, a, a_stride, w, steps, ends, out, out_stride, columns);
    else tile_of<2>(rows, a, a_stride, w, steps, ends, out, out_stride, columns);
  }

  static void translate(std::int8_t* data, std::int64_t n, const std::uint8_t* table) { translate_avx512(data, n, table); }
};

}  // namespace
}  // namespace etalon::kernels
