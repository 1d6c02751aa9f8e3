// The two products of int8 attention in zmm registers: queries times keys with sums of 32 bits as result, weights times
// values with bytes. In both, what multiplies a register of signed bytes is four unsigned ones of a row.
#pragma once

#include "kernels/qs8_conv2d/product_avx512vnni_impl.h"

namespace etalon::kernels {
namespace {

constexpr std::int64_t kPanel = 32;          // keys, or elements of values
constexpr std::int64_t kStep = 4 * kPanel;   // bytes of a panel that one step reads
constexpr int kTileRows = 14;                // of queries; of weights there are two for each query

// `kParts` rows follow each other in memory by turns, four bytes of each.
template <int kRows, int kVecs, int kParts>
inline __attribute__((always_inline)) void multiply(__m512i (&sums)[kRows][kVecs], const std::uint8_t* a, std::int64_t a_row,
                                                    const std::int8_t* panel, std::int64_t steps) {
  for (; steps > 0; --steps, a += 4 * kParts, panel += kStep) {
    __m512i b[kVecs];
#pragma GCC unroll 2
    for (int j = 0; j < kVecs; ++j) b[j] = Vnni::weights(panel + 64 * j);
#pragma GCC unroll 14
    for (int i = 0; i < kRows; ++i) {
      const __m512i x = Vnni::input(a + i / kParts * a_row + i % kParts * 4);
#pragma GCC unroll 2
      for (int j = 0; j < kVecs; ++j) Vnni::add(sums[i][j], x, b[j]);
    }
  }
}

// out[row][key] = start[key] + sum over bytes of q[row] * keys.
template <int kRows, int kVecs>
__attribute__((noinline)) void score_tile(const std::uint8_t* q, std::int64_t q_row, const std::int8_t* keys, std::int64_t steps,
                                          const std::int32_t* start, std::int32_t* out, std::int64_t out_row) {
  __m512i sums[kRows][kVecs];
#pragma GCC unroll 14
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 2
    for (int j = 0; j < kVecs; ++j) sums[i][j] = _mm512_load_si512(start + 16 * j);
  }
  multiply<kRows, kVecs, 1>(sums, q, q_row, keys, steps);
#pragma GCC unroll 14
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 2
    for (int j = 0; j < kVecs; ++j) _mm512_store_si512(out + i * out_row + 16 * j, sums[i][j]);
  }
}

// How sums of weighted values become bytes: (sum / total - zero point) * gain, rounded.
struct ValueEnd {
  const float* totals;      // of each row's weights; NaN gives the lowest byte
  const float* reciprocals; // of those
  float v_zero, gain;
  std::int32_t out_zero;
};

template <int kQueries, int kVecs>
inline __attribute__((always_inline)) void store_values(const __m512i (&sums)[2 * kQueries][kVecs], const ValueEnd& end,
                                                        std::int8_t* out, std::int64_t out_row, std::int64_t columns) {
  const __m512 v_zero = _mm512_set1_ps(end.v_zero), gain = _mm512_set1_ps(end.gain);
  const __m512 low = _mm512_set1_ps(static_cast<float>(-128 - end.out_zero)), high = _mm512_set1_ps(static_cast<float>(127 - end.out_zero));
  const __m512i out_zero = _mm512_set1_epi32(end.out_zero);
#pragma GCC unroll 7
  for (int i = 0; i < kQueries; ++i) {
    const __m512 total = _mm512_set1_ps(end.totals[i]), reciprocal = _mm512_set1_ps(end.reciprocals[i]);
#pragma GCC unroll 2
    for (int j = 0; j < kVecs; ++j) {
      const __m512 sum = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sums[2 * i][j]), _mm512_set1_ps(256.0f), _mm512_cvtepi32_ps(sums[2 * i + 1][j]));
      // A quotient as exact as that of a division, without waiting for one: where a single key counts, its value is met.
      const __m512 near = _mm512_mul_ps(sum, reciprocal);
      const __m512 mean = _mm512_fmadd_ps(_mm512_fnmadd_ps(near, total, sum), reciprocal, near);
      __m512 x = _mm512_mul_ps(_mm512_sub_ps(mean, v_zero), gain);
      x = _mm512_min_ps(_mm512_max_ps(x, low), high);  // the second operand, if the first is NaN
      const __m128i bytes = _mm512_cvtepi32_epi8(_mm512_add_epi32(_mm512_cvtps_epi32(x), out_zero));
      _mm_mask_storeu_epi8(out + i * out_row + 16 * j, static_cast<__mmask16>(first_bytes(columns - 16 * j)), bytes);
    }
  }
}

// `weights`: of every four keys the upper bytes, then the lower ones.
template <int kQueries, int kVecs>
__attribute__((noinline)) void value_tile(const std::uint8_t* weights, std::int64_t weights_row, const std::int8_t* values,
                                          std::int64_t steps, const ValueEnd& end, std::int8_t* out, std::int64_t out_row,
                                          std::int64_t columns) {
  __m512i sums[2 * kQueries][kVecs];
#pragma GCC unroll 14
  for (int i = 0; i < 2 * kQueries; ++i) {
#pragma GCC unroll 2
    for (int j = 0; j < kVecs; ++j) {
      sums[i][j] = _mm512_setzero_si512();
      asm("" : "+v"(sums[i][j]));  // else GCC knows that all are equal, and copies them around
    }
  }
  multiply<2 * kQueries, kVecs, 2>(sums, weights, weights_row, values, steps);
  store_values<kQueries, kVecs>(sums, end, out, out_row, columns);
}

using ScoreTile = void (*)(const std::uint8_t*, std::int64_t, const std::int8_t*, std::int64_t, const std::int32_t*,
                           std::int32_t*, std::int64_t);
using ValueTile = void (*)(const std::uint8_t*, std::int64_t, const std::int8_t*, std::int64_t, const ValueEnd&,
                           std::int8_t*, std::int64_t, std::int64_t);

struct TileTable {
  // Of one and of two registers of keys or of elements.
  ScoreTile scores[2][kTileRows + 1] = {};
  ValueTile values[2][kTileRows / 2 + 1] = {};
  template <int kRows>
  constexpr void fill() {
    scores[0][kRows] = score_tile<kRows, 1>;
    scores[1][kRows] = score_tile<kRows, 2>;
    if constexpr (kRows <= kTileRows / 2) {
      values[0][kRows] = value_tile<kRows, 1>;
      values[1][kRows] = value_tile<kRows, 2>;
    }
    if constexpr (kRows > 1) fill<kRows - 1>();
  }
  constexpr TileTable() { fill<kTileRows>(); }
};
constexpr TileTable kTiles;

}  // namespace
}  // namespace etalon::kernels
