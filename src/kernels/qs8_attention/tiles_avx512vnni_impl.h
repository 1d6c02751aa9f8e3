// The two products of int8 attention in zmm registers: queries times keys with sums of 32 bits as result,
// weights times values with bytes. In both, what multiplies a register of signed bytes is four unsigned ones
// of a row.
#pragma once

#include "kernels/qs8_conv2d/product_avx512vnni_impl.h"

namespace etalon::kernels {
namespace {

constexpr std::int64_t kPanel = 32;         // keys, or elements of values
constexpr std::int64_t kStep = 4 * kPanel;  // bytes of a panel that one step reads
constexpr int kTileRows = 14;               // of queries; of weights there are two for each query

// `kParts` rows follow each other in memory by turns, four bytes of each.
template <int kRows, int kVecs, int kParts>
inline __attribute__((always_inline)) void multiply(__m512i (&sums)[kRows][kVecs], const std::uint8_t* a,
                                                    std::int64_t a_row, const std::int8_t* panel,
                                                    std::int64_t steps) {
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

// out[row][key] = start[key] + sum over bytes of q[row] * keys. `tops`, 16 per row, become at least as large,
// if these are bits of floats.
template <int kRows, int kVecs>
__attribute__((noinline)) void score_tile(const std::uint8_t* q, std::int64_t q_row, const std::int8_t* keys,
                                          std::int64_t steps, const std::int32_t* start, float* tops,
                                          std::int32_t* out, std::int64_t out_row) {
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
    const __m512 last = _mm512_castsi512_ps(sums[i][kVecs - 1]);
    const __m512 top = kVecs == 1 ? last : _mm512_max_ps(_mm512_castsi512_ps(sums[i][0]), last);
    _mm512_store_ps(tops + 16 * i, _mm512_max_ps(top, _mm512_load_ps(tops + 16 * i)));
  }
}

// How sums of weighted values become bytes: (sum / total - zero point) * gain, rounded.
struct ValueEnd {
  const float* totals;       // of each row's weights; NaN gives the lowest byte
  const float* reciprocals;  // of those
  float v_zero, gain;
  std::int32_t out_zero;
};

// Rows of 16 * kVecs bytes, each in its quarter or half of a register, `rows` of them.
template <int kVecs>
inline __attribute__((always_inline)) void store_bytes(__m512i bytes, int rows, std::int8_t* out,
                                                       std::int64_t out_row, __mmask32 mask) {
  if constexpr (kVecs == 2) {
    bytes = _mm512_permutexvar_epi32(_mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15),
                                     bytes);
    _mm256_mask_storeu_epi8(out, mask, _mm512_castsi512_si256(bytes));
    if (rows > 1) _mm256_mask_storeu_epi8(out + out_row, mask, _mm512_extracti64x4_epi64(bytes, 1));
  } else {
    const auto few = static_cast<__mmask16>(mask);
    bytes = _mm512_permutexvar_epi32(_mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15),
                                     bytes);
    _mm_mask_storeu_epi8(out, few, _mm512_castsi512_si128(bytes));
    if (rows > 1) _mm_mask_storeu_epi8(out + out_row, few, _mm512_extracti32x4_epi32(bytes, 1));
  }
}

template <int kQueries, int kVecs>
inline __attribute__((always_inline)) void store_values(const __m512i (&sums)[2 * kQueries][kVecs],
                                                        const ValueEnd& end, std::int8_t* out,
                                                        std::int64_t out_row, std::int64_t columns) {
  const __m512 v_zero = _mm512_set1_ps(end.v_zero), gain = _mm512_set1_ps(end.gain);
  // All that is too large converts to the smallest integer; what is too small, or NaN, may.
  const __m512 high = _mm512_set1_ps(static_cast<float>(127 - end.out_zero));
  const __m512i out_zero = _mm512_set1_epi16(static_cast<short>(end.out_zero));
  const auto mask = static_cast<__mmask32>(first_bytes(columns));
  const auto integers = [&](int i, int j) {
    const __m512 total = _mm512_set1_ps(end.totals[i]), reciprocal = _mm512_set1_ps(end.reciprocals[i]);
    const __m512 sum = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sums[2 * i][j]), _mm512_set1_ps(256.0f),
                                       _mm512_cvtepi32_ps(sums[2 * i + 1][j]));
    // A quotient as exact as that of a division, without waiting for one: where a single key counts, its
    // value is met.
    const __m512 near = _mm512_mul_ps(sum, reciprocal);
    const __m512 mean = _mm512_fmadd_ps(_mm512_fnmadd_ps(near, total, sum), reciprocal, near);
    const __m512 x = _mm512_mul_ps(_mm512_sub_ps(mean, v_zero), gain);
    return _mm512_cvtps_epi32(_mm512_min_ps(high, x));  // the second operand, if that is NaN
  };
#pragma GCC unroll 7
  for (int i = 0; i < kQueries; i += 2) {
    const int next = i + 1 < kQueries ? i + 1 : i, last = kVecs - 1;
    const __m512i a = _mm512_packs_epi32(integers(i, 0), kVecs == 2 ? integers(i, last) : integers(next, 0));
    const __m512i b =
        kVecs == 2 && next != i ? _mm512_packs_epi32(integers(next, 0), integers(next, last)) : a;
    const __m512i bytes = _mm512_packs_epi16(_mm512_adds_epi16(a, out_zero), _mm512_adds_epi16(b, out_zero));
    store_bytes<kVecs>(bytes, next - i + 1, out + i * out_row, out_row, mask);
  }
}

// `weights`: of every four keys the upper bytes, then the lower ones.
template <int kQueries, int kVecs>
__attribute__((noinline)) void value_tile(const std::uint8_t* weights, std::int64_t weights_row,
                                          const std::int8_t* values, std::int64_t steps, const ValueEnd& end,
                                          std::int8_t* out, std::int64_t out_row, std::int64_t columns) {
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

using ScoreTile = void (*)(const std::uint8_t*, std::int64_t, const std::int8_t*, std::int64_t,
                           const std::int32_t*, float*, std::int32_t*, std::int64_t);
using ValueTile = void (*)(const std::uint8_t*, std::int64_t, const std::int8_t*, std::int64_t,
                           const ValueEnd&, std::int8_t*, std::int64_t, std::int64_t);

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
