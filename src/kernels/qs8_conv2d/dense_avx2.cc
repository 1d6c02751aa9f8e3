// Pairs of 16-bit products: the instruction for bytes saturates with full-range weights, so everything is widened,
// inputs (less their zero point) when they are gathered and weights as they are read.
#include <immintrin.h>

#include "kernels/qs8_conv2d/dense_impl.h"

namespace etalon::kernels {
namespace {

struct Tiles256 {
  using Stored = std::int16_t;  // of gathered inputs
  static constexpr std::int64_t kGroup = 2;  // taps that one step multiplies
  static constexpr std::int64_t kColumns = 16, kNarrowColumns = 8, kRows = 4;  // of a tile
  static constexpr bool kReadsInput = false;
  static constexpr double kProductsPerCycle = 20, kGatheredPerCycle = 8, kFinishCycles = 0.4;

  // What the bias takes back for every unit of weight.
  static std::int32_t folded(std::int32_t) { return 0; }
  static std::int64_t slot(std::int64_t c) { return c % 8 / 4 * 8 + c / 8 * 4 + c % 4; }
  static std::int64_t narrow_slot(std::int64_t c) { return c; }

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

  static __m256i requantise(__m256i sum, __m256 scale, __m256 high) {
    return _mm256_cvtps_epi32(_mm256_min_ps(_mm256_mul_ps(_mm256_cvtepi32_ps(sum), scale), high));
  }
  static void store(std::int8_t* out, __m128i bytes, std::int64_t columns) {
    if (columns == 16) return _mm_storeu_si128(reinterpret_cast<__m128i*>(out), bytes);
    alignas(16) std::int8_t all[16];
    _mm_store_si128(reinterpret_cast<__m128i*>(all), bytes);
    __builtin_memcpy(out, all, static_cast<std::size_t>(columns));
  }

  template <int kR, int kV>
  static void compute(const std::int16_t* a, std::int64_t a_stride, const std::int8_t* w, std::int64_t steps,
                      const Finish& f, std::int8_t* out, std::int64_t out_stride, std::int64_t columns) {
    __m256i sums[kR][kV];
#pragma GCC unroll 4
    for (int i = 0; i < kR; ++i) {
#pragma GCC unroll 2
      for (int j = 0; j < kV; ++j) sums[i][j] = _mm256_load_si256(reinterpret_cast<const __m256i*>(f.bias + 8 * j));
    }
    for (std::int64_t k = 0; k < steps; ++k, a += 2, w += kV * 16) {
      __m256i b[kV];
#pragma GCC unroll 2
      for (int j = 0; j < kV; ++j) b[j] = _mm256_cvtepi8_epi16(_mm_load_si128(reinterpret_cast<const __m128i*>(w + 16 * j)));
#pragma GCC unroll 4
      for (int i = 0; i < kR; ++i) {
        int two = 0;
        __builtin_memcpy(&two, a + i * a_stride, 4);
        const __m256i x = _mm256_set1_epi32(two);
#pragma GCC unroll 2
        for (int j = 0; j < kV; ++j) sums[i][j] = _mm256_add_epi32(sums[i][j], _mm256_madd_epi16(x, b[j]));
      }
    }
    const __m256 high = _mm256_set1_ps(f.high);
    const __m256i zero = _mm256_set1_epi16(static_cast<short>(f.zero_point));
    const __m128i min = _mm_set1_epi8(static_cast<char>(f.min));
#pragma GCC unroll 4
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

  template <int kV>
  static void tile_of(std::int64_t rows, const std::int16_t* a, std::int64_t a_stride, const std::int8_t* w,
                      std::int64_t steps, const Finish& f, std::int8_t* out, std::int64_t out_stride,
                      std::int64_t columns) {
    switch (rows) {
      case 1: return compute<1, kV>(a, a_stride, w, steps, f, out, out_stride, columns);
      case 2: return compute<2, kV>(a, a_stride, w, steps, f, out, out_stride, columns);
      case 3: return compute<3, kV>(a, a_stride, w, steps, f, out, out_stride, columns);
      default: return compute<4, kV>(a, a_stride, w, steps, f, out, out_stride, columns);
    }
  }

  // `rows` <= kRows pixels `a_stride` apart, `steps` groups of taps; writes `columns` channels of each.
  static void tile(std::int64_t rows, bool is_narrow, const std::int16_t* a, std::int64_t a_stride, const std::int8_t* w,
                   std::int64_t steps, const Finish& f, std::int8_t* out, std::int64_t out_stride,
                   std::int64_t columns) {
    if (is_narrow) tile_of<1>(rows, a, a_stride, w, steps, f, out, out_stride, columns);
    else tile_of<2>(rows, a, a_stride, w, steps, f, out, out_stride, columns);
  }

  static void translate(std::int8_t* data, std::int64_t n, const std::uint8_t* table) {
    for (std::int64_t i = 0; i < n; ++i) data[i] = static_cast<std::int8_t>(table[static_cast<std::uint8_t>(data[i])]);
  }
};

}  // namespace

extern constinit const Qs8Conv2dAlgorithm kQs8DenseAvx2 =
    dense<Tiles256>(Isa::kAvx2, "qs8_qc8w_igemm_minmax_fp32_ukernel_4x16c2__avx2", "4x16c2");

}  // namespace etalon::kernels
