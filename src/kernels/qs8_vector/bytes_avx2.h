// Bytes for AVX2: 32 int8. See qs8_vector_impl.h.
//
// Bytes become wider by unpacking, which works within 128 bits as narrowing with saturation does: the order returns.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "kernels/qs8_vector/qs8_vector.h"

#define ETALON_ISA kAvx2
#define ETALON_ISA_SUFFIX "avx2"
#define ETALON_INLINE inline __attribute__((always_inline))

#include "kernels/qs8_vector/part16_impl.h"

namespace etalon::kernels {
namespace {

ETALON_INLINE __m128i load16(const std::int8_t* p) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)); }
ETALON_INLINE __m128i load16(const std::int8_t* p, std::size_t n) {
  const Sixteen part = load_part16(p, n);
  return _mm_set_epi64x(static_cast<long long>(part.high), static_cast<long long>(part.low));
}
ETALON_INLINE void store16(__m128i x, std::int8_t* p) { _mm_storeu_si128(reinterpret_cast<__m128i*>(p), x); }
ETALON_INLINE void store16(__m128i x, std::int8_t* p, std::size_t n) {
  store_part16({static_cast<std::uint64_t>(_mm_cvtsi128_si64(x)), static_cast<std::uint64_t>(_mm_extract_epi64(x, 1))},
               p, n);
}

struct Bytes {
  static constexpr std::size_t kCount = 32;
  __m256i v;

  ETALON_INLINE static Bytes of(std::int8_t x) { return {_mm256_set1_epi8(x)}; }
  ETALON_INLINE static Bytes load(const std::int8_t* p) {
    return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))};
  }
  // The first `n` < kCount; the rest are zero and not touched in memory.
  ETALON_INLINE static Bytes load(const std::int8_t* p, std::size_t n) {
    if (n <= 16) return {_mm256_zextsi128_si256(load16(p, n))};
    return {_mm256_set_m128i(load16(p + 16, n - 16), load16(p))};
  }
  ETALON_INLINE void store(std::int8_t* p) const { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), v); }
  ETALON_INLINE void store(std::int8_t* p, std::size_t n) const {
    if (n <= 16) return store16(_mm256_castsi256_si128(v), p, n);
    store16(_mm256_castsi256_si128(v), p);
    store16(_mm256_extracti128_si256(v, 1), p + 16, n - 16);
  }
};
ETALON_INLINE Bytes max(Bytes a, Bytes b) { return {_mm256_max_epi8(a.v, b.v)}; }
ETALON_INLINE Bytes min(Bytes a, Bytes b) { return {_mm256_min_epi8(a.v, b.v)}; }

// 32-bit numbers become bytes: narrowed with saturation, moved by the zero point and held within limits.
struct Storing {
  __m256i zero;
  Bytes low, high;
  ETALON_INLINE Storing(std::int32_t zero_point, std::int32_t min, std::int32_t max)
      : zero(_mm256_set1_epi16(static_cast<short>(zero_point))),
        low(Bytes::of(static_cast<std::int8_t>(min))),
        high(Bytes::of(static_cast<std::int8_t>(max))) {}
  ETALON_INLINE Bytes operator()(const __m256i (&x)[4]) const {
    const __m256i first = _mm256_adds_epi16(_mm256_packs_epi32(x[0], x[1]), zero);
    const __m256i second = _mm256_adds_epi16(_mm256_packs_epi32(x[2], x[3]), zero);
    return min(max({_mm256_packs_epi16(first, second)}, low), high);
  }
};

// A factor of 22 bits is 256 * high + low. Pairs of bytes are unpacked as 256 * (a, b), so that the products with
// `high` come out right as they are, and those with `low` 256 times too large.
struct Summing {
  __m256i bias, low, high;
  __m128i shift;
  Storing stored;
  ETALON_INLINE static __m256i pair(std::int32_t a, std::int32_t b) {
    return _mm256_set1_epi32(static_cast<std::int32_t>((static_cast<std::uint32_t>(b) << 16) |
                                                       (static_cast<std::uint32_t>(a) & 0xffffu)));
  }
  ETALON_INLINE explicit Summing(const Qs8Sum& s)
      : bias(_mm256_set1_epi32(s.bias)),
        low(pair(s.left & 255, s.right & 255)),
        high(pair(s.left >> 8, s.right >> 8)),
        shift(_mm_cvtsi32_si128(static_cast<int>(s.shift))),
        stored(s.zero_point, s.min, s.max) {}
  ETALON_INLINE __m256i scaled(__m256i pairs) const {
    const __m256i small = _mm256_srai_epi32(_mm256_madd_epi16(pairs, low), 8);
    const __m256i sum = _mm256_add_epi32(_mm256_add_epi32(bias, small), _mm256_madd_epi16(pairs, high));
    return _mm256_sra_epi32(sum, shift);
  }
  ETALON_INLINE Bytes operator()(Bytes a, Bytes b) const {
    const __m256i zero = _mm256_setzero_si256();
    const __m256i first = _mm256_unpacklo_epi8(a.v, b.v), second = _mm256_unpackhi_epi8(a.v, b.v);
    const __m256i x[4] = {scaled(_mm256_unpacklo_epi8(zero, first)), scaled(_mm256_unpackhi_epi8(zero, first)),
                          scaled(_mm256_unpacklo_epi8(zero, second)), scaled(_mm256_unpackhi_epi8(zero, second))};
    return stored(x);
  }
};

// kAnyScale: products may be too large for the conversion to integers, which makes them the smallest.
template <bool kAnyScale>
struct Multiplying {
  __m256i left_zero, right_zero;
  __m256 scale, high;
  Storing stored;
  ETALON_INLINE explicit Multiplying(const Qs8Product& p)
      : left_zero(_mm256_set1_epi16(static_cast<short>(p.left_zero + 128))),
        right_zero(_mm256_set1_epi16(static_cast<short>(p.right_zero + 128))),
        scale(_mm256_set1_ps(p.scale)),
        high(_mm256_set1_ps(static_cast<float>(p.max - p.zero_point))),
        stored(p.zero_point, p.min, p.max) {}
  ETALON_INLINE __m256i scaled(__m256i product) const {
    const __m256 x = _mm256_mul_ps(_mm256_cvtepi32_ps(product), scale);
    return _mm256_cvtps_epi32(kAnyScale ? _mm256_min_ps(high, x) : x);
  }
  ETALON_INLINE Bytes operator()(Bytes a, Bytes b) const {
    // 128 more than stored they have no sign, which unpacking would not repeat.
    const __m256i sign = _mm256_set1_epi8(-128), none = _mm256_setzero_si256();
    const __m256i left = _mm256_xor_si256(a.v, sign), right = _mm256_xor_si256(b.v, sign);
    const __m256i lefts[2] = {_mm256_unpacklo_epi8(left, none), _mm256_unpackhi_epi8(left, none)};
    const __m256i rights[2] = {_mm256_unpacklo_epi8(right, none), _mm256_unpackhi_epi8(right, none)};
    __m256i x[4];
#pragma GCC unroll 2
    for (int i = 0; i < 2; ++i) {
      const __m256i l = _mm256_sub_epi16(lefts[i], left_zero), r = _mm256_sub_epi16(rights[i], right_zero);
      const __m256i low_half = _mm256_mullo_epi16(l, r), high_half = _mm256_mulhi_epi16(l, r);
      x[2 * i] = scaled(_mm256_unpacklo_epi16(low_half, high_half));
      x[2 * i + 1] = scaled(_mm256_unpackhi_epi16(low_half, high_half));
    }
    return stored(x);
  }
};

// All bits of the first `n` of eight lanes, which may be none or more than there are.
ETALON_INLINE __m256i first_lanes(std::ptrdiff_t n) {
  const int count = n > 8 ? 8 : n < 0 ? 0 : static_cast<int>(n);
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

struct Quantising {
  __m256 inverse_scale, high;
  Storing stored;
  ETALON_INLINE Quantising(float inverse, std::int32_t zero_point)
      : inverse_scale(_mm256_set1_ps(inverse)),
        high(_mm256_set1_ps(static_cast<float>(127 - zero_point))),
        stored(zero_point, -128, 127) {}
  // What is too large would be converted to the smallest integer, as NaN is, which passes through this minimum.
  ETALON_INLINE __m256i rounded(__m256 x) const {
    return _mm256_cvtps_epi32(_mm256_min_ps(high, _mm256_mul_ps(x, inverse_scale)));
  }
  ETALON_INLINE Bytes narrowed(const __m256i (&x)[4]) const {
    return {_mm256_permutevar8x32_epi32(stored(x).v, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7))};
  }
  ETALON_INLINE Bytes operator()(const float* x) const {
    const __m256i whole[4] = {rounded(_mm256_loadu_ps(x)), rounded(_mm256_loadu_ps(x + 8)),
                              rounded(_mm256_loadu_ps(x + 16)), rounded(_mm256_loadu_ps(x + 24))};
    return narrowed(whole);
  }
  ETALON_INLINE Bytes operator()(const float* x, std::size_t n) const {
    __m256i whole[4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      whole[i] = rounded(_mm256_maskload_ps(x + 8 * i, first_lanes(static_cast<std::ptrdiff_t>(n) - 8 * i)));
    }
    return narrowed(whole);
  }
};

struct Dequantising {
  __m256i zero;
  __m256 scale;
  ETALON_INLINE Dequantising(float s, std::int32_t zero_point)
      : zero(_mm256_set1_epi32(zero_point)), scale(_mm256_set1_ps(s)) {}
  ETALON_INLINE void reals(Bytes x, __m256 (&out)[4]) const {
    const __m128i low = _mm256_castsi256_si128(x.v), high = _mm256_extracti128_si256(x.v, 1);
    const __m128i parts[4] = {low, _mm_srli_si128(low, 8), high, _mm_srli_si128(high, 8)};
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      out[i] = _mm256_mul_ps(scale, _mm256_cvtepi32_ps(_mm256_sub_epi32(_mm256_cvtepi8_epi32(parts[i]), zero)));
    }
  }
  ETALON_INLINE void operator()(Bytes x, float* out) const {
    __m256 real[4];
    reals(x, real);
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) _mm256_storeu_ps(out + 8 * i, real[i]);
  }
  ETALON_INLINE void operator()(Bytes x, float* out, std::size_t n) const {
    __m256 real[4];
    reals(x, real);
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      _mm256_maskstore_ps(out + 8 * i, first_lanes(static_cast<std::ptrdiff_t>(n) - 8 * i), real[i]);
    }
  }
};

// Smallest and largest of x, those given included; NaN, the first operand, counts as nothing, and so do the zeros
// that stand for what is behind the end: both ranges have zero in them.
ETALON_INLINE void widen_range(const float* x, std::size_t n, float& low, float& high) {
  constexpr std::size_t kVecs = 4;
  __m256 smallest[kVecs], largest[kVecs];
#pragma GCC unroll 4
  for (std::size_t v = 0; v < kVecs; ++v) smallest[v] = _mm256_set1_ps(low), largest[v] = _mm256_set1_ps(high);
  std::size_t i = 0;
  for (; i + 8 * kVecs <= n; i += 8 * kVecs) {
#pragma GCC unroll 4
    for (std::size_t v = 0; v < kVecs; ++v) {
      const __m256 some = _mm256_loadu_ps(x + i + 8 * v);
      smallest[v] = _mm256_min_ps(some, smallest[v]);
      largest[v] = _mm256_max_ps(some, largest[v]);
    }
  }
  for (; i < n; i += 8) {
    const __m256 some = _mm256_maskload_ps(x + i, first_lanes(static_cast<std::ptrdiff_t>(n - i)));
    smallest[0] = _mm256_min_ps(some, smallest[0]);
    largest[0] = _mm256_max_ps(some, largest[0]);
  }
  float lows[8], highs[8];
  for (std::size_t v = 1; v < kVecs; ++v) {
    smallest[0] = _mm256_min_ps(smallest[v], smallest[0]);
    largest[0] = _mm256_max_ps(largest[v], largest[0]);
  }
  _mm256_storeu_ps(lows, smallest[0]);
  _mm256_storeu_ps(highs, largest[0]);
  for (int k = 0; k < 8; ++k) {
    low = lows[k] < low ? lows[k] : low;
    high = highs[k] > high ? highs[k] : high;
  }
}

// Sixteen tables of sixteen bytes each. A shuffle gives zero for indices with their top bit set. While 16 is subtracted
// again and again, an index from 0 to 127 has passed k tables when it gets below zero, and one from 128 to 255 has it
// set at first, loses it with the k-th subtraction and has it again eight later: what the tables passed on the way give
// cancels out. The second half of the subtractions saturates, lest small indices come round again.
struct Translating {
  __m256i part[16];
  explicit Translating(const std::uint8_t* table) {
    __m256i t[16];
    for (int k = 0; k < 16; ++k) {
      t[k] = _mm256_broadcastsi128_si256(load16(reinterpret_cast<const std::int8_t*>(table) + 16 * k));
    }
    part[0] = t[0];
    for (int k = 1; k < 16; ++k) part[k] = _mm256_xor_si256(t[k], t[k - 1]);
    part[8] = _mm256_xor_si256(part[8], t[0]);
    for (int k = 15; k > 8; --k) part[k] = _mm256_xor_si256(part[k], _mm256_xor_si256(t[k - 8], t[k - 9]));
  }
  ETALON_INLINE Bytes operator()(Bytes x) const {
    const __m256i sixteen = _mm256_set1_epi8(16);
    __m256i index = x.v, y = _mm256_shuffle_epi8(part[0], index);
#pragma GCC unroll 16
    for (int k = 1; k < 16; ++k) {
      index = k <= 8 ? _mm256_sub_epi8(index, sixteen) : _mm256_subs_epi8(index, sixteen);
      y = _mm256_xor_si256(y, _mm256_shuffle_epi8(part[k], index));
    }
    return {y};
  }
};
ETALON_INLINE void translate_bytes(const std::int8_t* x, std::int8_t* out, std::size_t n, const std::uint8_t* table) {
  constexpr std::size_t kWorthPreparing = 128;
  std::size_t i = 0;
  if (n >= kWorthPreparing) {
    const Translating translated(table);
    for (; i + Bytes::kCount <= n; i += Bytes::kCount) translated(Bytes::load(x + i)).store(out + i);
  }
  for (; i < n; ++i) out[i] = static_cast<std::int8_t>(table[static_cast<std::uint8_t>(x[i])]);
}

// Two bytes of a channel are added up in 16 bits, and those sums, too, as long as they fit.
struct ColumnSums {
  static constexpr std::size_t kPairs = 128;
  __m256i narrow[2], wide[4];
  ETALON_INLINE ColumnSums() {
    narrow[0] = narrow[1] = _mm256_setzero_si256();
    wide[0] = wide[1] = wide[2] = wide[3] = _mm256_setzero_si256();
  }
  ETALON_INLINE void add(Bytes a, Bytes b) {
    const __m256i one = _mm256_set1_epi8(1);
    narrow[0] = _mm256_add_epi16(narrow[0], _mm256_maddubs_epi16(one, _mm256_unpacklo_epi8(a.v, b.v)));
    narrow[1] = _mm256_add_epi16(narrow[1], _mm256_maddubs_epi16(one, _mm256_unpackhi_epi8(a.v, b.v)));
  }
  ETALON_INLINE void widen() {
#pragma GCC unroll 2
    for (int i = 0; i < 2; ++i) {
      const __m256i low = _mm256_unpacklo_epi16(narrow[i], narrow[i]);
      const __m256i high = _mm256_unpackhi_epi16(narrow[i], narrow[i]);
      wide[2 * i] = _mm256_add_epi32(wide[2 * i], _mm256_srai_epi32(low, 16));
      wide[2 * i + 1] = _mm256_add_epi32(wide[2 * i + 1], _mm256_srai_epi32(high, 16));
      narrow[i] = _mm256_setzero_si256();
    }
  }
  // Between wide sums and memory, by channel: 128 bits of a register hold four of every sixteen.
  ETALON_INLINE void store(std::int32_t* out) const {
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(out + 4 * i), _mm256_castsi256_si128(wide[i]));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(out + 16 + 4 * i), _mm256_extracti128_si256(wide[i], 1));
    }
  }
  ETALON_INLINE void load(const std::int32_t* from) {
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      wide[i] = _mm256_loadu2_m128i(reinterpret_cast<const __m128i*>(from + 16 + 4 * i),
                                    reinterpret_cast<const __m128i*>(from + 4 * i));
    }
  }
  ETALON_INLINE Bytes mean(const Qs8Mean& m, std::int32_t offset) const {
    const __m256 scale = _mm256_set1_ps(m.scale), zero = _mm256_set1_ps(static_cast<float>(m.zero_point));
    const __m256 low = _mm256_set1_ps(static_cast<float>(m.min)), high = _mm256_set1_ps(static_cast<float>(m.max));
    __m256i x[4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      const __m256 sum = _mm256_cvtepi32_ps(_mm256_sub_epi32(wide[i], _mm256_set1_epi32(offset)));
      const __m256 moved = _mm256_add_ps(_mm256_mul_ps(sum, scale), zero);
      x[i] = _mm256_cvtps_epi32(_mm256_min_ps(_mm256_max_ps(moved, low), high));
    }
    return Storing(0, -128, 127)(x);
  }
};

// Registers of 128 and 256 bits for transposition, which works within 128 bits.
struct Lanes1 {
  static constexpr std::size_t kCount = 1;
  __m128i v;
  ETALON_INLINE static Lanes1 load(const std::int8_t* p, std::size_t) { return {load16(p)}; }
  ETALON_INLINE void store(std::int8_t* p) const { store16(v, p); }
};
struct Lanes2 {
  using Half = Lanes1;
  static constexpr std::size_t kCount = 2;
  __m256i v;
  // Of pointers `step` apart.
  ETALON_INLINE static Lanes2 load(const std::int8_t* p, std::size_t step) {
    return {_mm256_set_m128i(load16(p + step), load16(p))};
  }
  ETALON_INLINE void store(std::int8_t* p) const { Bytes{v}.store(p); }
};
ETALON_INLINE Lanes1 zip_low(Lanes1 a, Lanes1 b) { return {_mm_unpacklo_epi8(a.v, b.v)}; }
ETALON_INLINE Lanes1 zip_high(Lanes1 a, Lanes1 b) { return {_mm_unpackhi_epi8(a.v, b.v)}; }
ETALON_INLINE Lanes2 zip_low(Lanes2 a, Lanes2 b) { return {_mm256_unpacklo_epi8(a.v, b.v)}; }
ETALON_INLINE Lanes2 zip_high(Lanes2 a, Lanes2 b) { return {_mm256_unpackhi_epi8(a.v, b.v)}; }
using WidestLanes = Lanes2;

}  // namespace
}  // namespace etalon::kernels
