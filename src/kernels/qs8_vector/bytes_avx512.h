// Bytes for AVX-512 (F, BW, DQ, VL), and VNNI where the compiler may use it: 64 int8. See qs8_vector_impl.h.
//
// Bytes become wider by unpacking, which works within 128 bits as narrowing with saturation does: the order returns.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "kernels/qs8_conv2d/bytes_avx512_impl.h"
#include "kernels/qs8_vector/qs8_vector.h"

#if defined(__AVX512VNNI__)
#define ETALON_ISA kAvx512Vnni
#define ETALON_ISA_SUFFIX "avx512vnni"
#else
#define ETALON_ISA kAvx512
#define ETALON_ISA_SUFFIX "avx512skx"
#endif
#define ETALON_INLINE inline __attribute__((always_inline))

namespace etalon::kernels {
namespace {

struct Bytes {
  static constexpr std::size_t kCount = 64;
  __m512i v;

  ETALON_INLINE static __mmask64 first(std::size_t n) { return _cvtu64_mask64((std::uint64_t{1} << n) - 1); }

  ETALON_INLINE static Bytes of(std::int8_t x) { return {_mm512_set1_epi8(x)}; }
  ETALON_INLINE static Bytes load(const std::int8_t* p) { return {_mm512_loadu_si512(p)}; }
  // The first `n` < kCount; the rest are zero and not touched in memory.
  ETALON_INLINE static Bytes load(const std::int8_t* p, std::size_t n) {
    return {_mm512_maskz_loadu_epi8(first(n), p)};
  }
  ETALON_INLINE void store(std::int8_t* p) const { _mm512_storeu_si512(p, v); }
  ETALON_INLINE void store(std::int8_t* p, std::size_t n) const { _mm512_mask_storeu_epi8(p, first(n), v); }
};
ETALON_INLINE Bytes max(Bytes a, Bytes b) { return {_mm512_max_epi8(a.v, b.v)}; }
ETALON_INLINE Bytes min(Bytes a, Bytes b) { return {_mm512_min_epi8(a.v, b.v)}; }

// 32-bit numbers become bytes: narrowed with saturation, moved by the zero point and held within limits.
struct Storing {
  __m512i zero, min, max;
  ETALON_INLINE Storing(std::int32_t zero_point, std::int32_t low, std::int32_t high)
      : zero(_mm512_set1_epi16(static_cast<short>(zero_point))),
        min(_mm512_set1_epi8(static_cast<char>(low))),
        max(_mm512_set1_epi8(static_cast<char>(high))) {}
  ETALON_INLINE Bytes operator()(const __m512i (&x)[4]) const {
    const __m512i low = _mm512_adds_epi16(_mm512_packs_epi32(x[0], x[1]), zero);
    const __m512i high = _mm512_adds_epi16(_mm512_packs_epi32(x[2], x[3]), zero);
    return {limit(_mm512_packs_epi16(low, high), min, max)};
  }
};

// A factor of 22 bits is 256 * high + low. Pairs of bytes are unpacked as 256 * (a, b), so that the products with
// `high` come out right as they are, and those with `low` 256 times too large.
struct Summing {
  __m512i bias, low, high;
  __m128i shift;
  Storing stored;
  ETALON_INLINE static __m512i pair(std::int32_t a, std::int32_t b) {
    return _mm512_set1_epi32(static_cast<std::int32_t>((static_cast<std::uint32_t>(b) << 16) |
                                                       (static_cast<std::uint32_t>(a) & 0xffffu)));
  }
  ETALON_INLINE explicit Summing(const Qs8Sum& s)
      : bias(_mm512_set1_epi32(s.bias)),
#if defined(__AVX512VNNI__)
        low(pair((s.left & 255) << 8, (s.right & 255) << 8)),
#else
        low(pair(s.left & 255, s.right & 255)),
#endif
        high(pair(s.left >> 8, s.right >> 8)),
        shift(_mm_cvtsi32_si128(static_cast<int>(s.shift))),
        stored(s.zero_point, s.min, s.max) {}
  ETALON_INLINE __m512i sum(__m512i pairs) const {
#if defined(__AVX512VNNI__)
    return _mm512_dpwssd_epi32(_mm512_dpbusd_epi32(bias, low, pairs), pairs, high);
#else
    const __m512i small = _mm512_srai_epi32(_mm512_madd_epi16(pairs, low), 8);
    return _mm512_add_epi32(_mm512_add_epi32(bias, small), _mm512_madd_epi16(pairs, high));
#endif
  }
  ETALON_INLINE Bytes operator()(Bytes a, Bytes b) const {
    const __m512i zero = _mm512_setzero_si512();
    const __m512i first = _mm512_unpacklo_epi8(a.v, b.v), second = _mm512_unpackhi_epi8(a.v, b.v);
    const __m512i pairs[4] = {_mm512_unpacklo_epi8(zero, first), _mm512_unpackhi_epi8(zero, first),
                              _mm512_unpacklo_epi8(zero, second), _mm512_unpackhi_epi8(zero, second)};
    __m512i x[4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) x[i] = _mm512_sra_epi32(sum(pairs[i]), shift);
    return stored(x);
  }
};

// kAnyScale: products may be too large for the conversion to integers, which makes them the smallest.
template <bool kAnyScale>
struct Multiplying {
  __m512i left_zero, right_zero;
  __m512 scale, high;
  Storing stored;
  ETALON_INLINE explicit Multiplying(const Qs8Product& p)
      : left_zero(_mm512_set1_epi16(static_cast<short>(p.left_zero + 128))),
        right_zero(_mm512_set1_epi16(static_cast<short>(p.right_zero + 128))),
        scale(_mm512_set1_ps(p.scale)),
        high(_mm512_set1_ps(static_cast<float>(p.max - p.zero_point))),
        stored(p.zero_point, p.min, p.max) {}
  ETALON_INLINE __m512i scaled(__m512i product) const {
    const __m512 x = _mm512_mul_ps(_mm512_cvtepi32_ps(product), scale);
    return _mm512_cvtps_epi32(kAnyScale ? _mm512_min_ps(high, x) : x);
  }
  ETALON_INLINE Bytes operator()(Bytes a, Bytes b) const {
    // 128 more than stored they have no sign, which unpacking would not repeat.
    const __m512i sign = _mm512_set1_epi8(-128), none = _mm512_setzero_si512();
    const __m512i left = _mm512_xor_si512(a.v, sign), right = _mm512_xor_si512(b.v, sign);
    const __m512i lefts[2] = {_mm512_unpacklo_epi8(left, none), _mm512_unpackhi_epi8(left, none)};
    const __m512i rights[2] = {_mm512_unpacklo_epi8(right, none), _mm512_unpackhi_epi8(right, none)};
    __m512i x[4];
#pragma GCC unroll 2
    for (int i = 0; i < 2; ++i) {
      const __m512i l = _mm512_sub_epi16(lefts[i], left_zero), r = _mm512_sub_epi16(rights[i], right_zero);
      const __m512i low_half = _mm512_mullo_epi16(l, r), high_half = _mm512_mulhi_epi16(l, r);
      x[2 * i] = scaled(_mm512_unpacklo_epi16(low_half, high_half));
      x[2 * i + 1] = scaled(_mm512_unpackhi_epi16(low_half, high_half));
    }
    return stored(x);
  }
};

struct Quantising {
  __m512 inverse_scale, high;
  Storing stored;
  __m512i order;
  ETALON_INLINE Quantising(float inverse, std::int32_t zero_point)
      : inverse_scale(_mm512_set1_ps(inverse)),
        high(_mm512_set1_ps(static_cast<float>(127 - zero_point))),
        stored(zero_point, -128, 127),
        order(_mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15)) {}
  // What is too large would be converted to the smallest integer, as NaN is, which passes through this minimum.
  ETALON_INLINE __m512i rounded(__m512 x) const {
    return _mm512_cvtps_epi32(_mm512_min_ps(high, _mm512_mul_ps(x, inverse_scale)));
  }
  ETALON_INLINE Bytes narrowed(const __m512i (&x)[4]) const {
    return {_mm512_permutexvar_epi32(order, stored(x).v)};
  }
  ETALON_INLINE Bytes operator()(const float* x) const {
    const __m512i whole[4] = {rounded(_mm512_loadu_ps(x)), rounded(_mm512_loadu_ps(x + 16)),
                              rounded(_mm512_loadu_ps(x + 32)), rounded(_mm512_loadu_ps(x + 48))};
    return narrowed(whole);
  }
  ETALON_INLINE Bytes operator()(const float* x, std::size_t n) const {
    const std::uint64_t mask = (std::uint64_t{1} << n) - 1;
    __m512i whole[4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      whole[i] = rounded(_mm512_maskz_loadu_ps(static_cast<__mmask16>(mask >> (16 * i)), x + 16 * i));
    }
    return narrowed(whole);
  }
};

struct Dequantising {
  __m512i zero;
  __m512 scale;
  ETALON_INLINE Dequantising(float s, std::int32_t zero_point)
      : zero(_mm512_set1_epi32(zero_point)), scale(_mm512_set1_ps(s)) {}
  ETALON_INLINE __m512 real(__m128i bytes) const {
    return _mm512_mul_ps(scale, _mm512_cvtepi32_ps(_mm512_sub_epi32(_mm512_cvtepi8_epi32(bytes), zero)));
  }
  ETALON_INLINE void operator()(Bytes x, float* out) const {
    _mm512_storeu_ps(out, real(_mm512_castsi512_si128(x.v)));
    _mm512_storeu_ps(out + 16, real(_mm512_extracti32x4_epi32(x.v, 1)));
    _mm512_storeu_ps(out + 32, real(_mm512_extracti32x4_epi32(x.v, 2)));
    _mm512_storeu_ps(out + 48, real(_mm512_extracti32x4_epi32(x.v, 3)));
  }
  ETALON_INLINE void operator()(Bytes x, float* out, std::size_t n) const {
    const std::uint64_t mask = (std::uint64_t{1} << n) - 1;
    _mm512_mask_storeu_ps(out, static_cast<__mmask16>(mask), real(_mm512_castsi512_si128(x.v)));
    _mm512_mask_storeu_ps(out + 16, static_cast<__mmask16>(mask >> 16), real(_mm512_extracti32x4_epi32(x.v, 1)));
    _mm512_mask_storeu_ps(out + 32, static_cast<__mmask16>(mask >> 32), real(_mm512_extracti32x4_epi32(x.v, 2)));
    _mm512_mask_storeu_ps(out + 48, static_cast<__mmask16>(mask >> 48), real(_mm512_extracti32x4_epi32(x.v, 3)));
  }
};

// Smallest and largest of x, those given included; NaN, the first operand, counts as nothing.
ETALON_INLINE void widen_range(const float* x, std::size_t n, float& low, float& high) {
  constexpr std::size_t kVecs = 4;
  __m512 smallest[kVecs], largest[kVecs];
#pragma GCC unroll 4
  for (std::size_t v = 0; v < kVecs; ++v) smallest[v] = _mm512_set1_ps(low), largest[v] = _mm512_set1_ps(high);
  std::size_t i = 0;
  for (; i + 16 * kVecs <= n; i += 16 * kVecs) {
#pragma GCC unroll 4
    for (std::size_t v = 0; v < kVecs; ++v) {
      const __m512 some = _mm512_loadu_ps(x + i + 16 * v);
      smallest[v] = _mm512_min_ps(some, smallest[v]);
      largest[v] = _mm512_max_ps(some, largest[v]);
    }
  }
  for (; i < n; i += 16) {
    const auto mask = static_cast<__mmask16>(n - i < 16 ? (1u << (n - i)) - 1 : 0xffffu);
    const __m512 some = _mm512_maskz_loadu_ps(mask, x + i);
    smallest[0] = _mm512_mask_min_ps(smallest[0], mask, some, smallest[0]);
    largest[0] = _mm512_mask_max_ps(largest[0], mask, some, largest[0]);
  }
  low = _mm512_reduce_min_ps(
      _mm512_min_ps(_mm512_min_ps(smallest[0], smallest[1]), _mm512_min_ps(smallest[2], smallest[3])));
  high = _mm512_reduce_max_ps(
      _mm512_max_ps(_mm512_max_ps(largest[0], largest[1]), _mm512_max_ps(largest[2], largest[3])));
}

ETALON_INLINE void translate_bytes(const std::int8_t* x, std::int8_t* out, std::size_t n, const std::uint8_t* table) {
  translate_avx512(x, out, static_cast<std::int64_t>(n), table);
}

// Two bytes of a channel are added up in 16 bits, and those sums, too, as long as they fit.
struct ColumnSums {
  static constexpr std::size_t kPairs = 128;
  __m512i narrow[2], wide[4];
  ETALON_INLINE ColumnSums() {
    narrow[0] = narrow[1] = _mm512_setzero_si512();
    wide[0] = wide[1] = wide[2] = wide[3] = _mm512_setzero_si512();
  }
  ETALON_INLINE void add(Bytes a, Bytes b) {
    const __m512i one = _mm512_set1_epi8(1);
    narrow[0] = _mm512_add_epi16(narrow[0], _mm512_maddubs_epi16(one, _mm512_unpacklo_epi8(a.v, b.v)));
    narrow[1] = _mm512_add_epi16(narrow[1], _mm512_maddubs_epi16(one, _mm512_unpackhi_epi8(a.v, b.v)));
  }
  ETALON_INLINE void widen() {
#pragma GCC unroll 2
    for (int i = 0; i < 2; ++i) {
      const __m512i low = _mm512_unpacklo_epi16(narrow[i], narrow[i]);
      const __m512i high = _mm512_unpackhi_epi16(narrow[i], narrow[i]);
      wide[2 * i] = _mm512_add_epi32(wide[2 * i], _mm512_srai_epi32(low, 16));
      wide[2 * i + 1] = _mm512_add_epi32(wide[2 * i + 1], _mm512_srai_epi32(high, 16));
      narrow[i] = _mm512_setzero_si512();
    }
  }
  // Between wide sums and memory, by channel: 128 bits of a register hold four of every sixteen.
  ETALON_INLINE void store(std::int32_t* out) const {
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      auto* to = reinterpret_cast<__m128i*>(out + 4 * i);
      _mm_storeu_si128(to, _mm512_castsi512_si128(wide[i]));
      _mm_storeu_si128(to + 4, _mm512_extracti32x4_epi32(wide[i], 1));
      _mm_storeu_si128(to + 8, _mm512_extracti32x4_epi32(wide[i], 2));
      _mm_storeu_si128(to + 12, _mm512_extracti32x4_epi32(wide[i], 3));
    }
  }
  ETALON_INLINE void load(const std::int32_t* from) {
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      const auto* part = reinterpret_cast<const __m128i*>(from + 4 * i);
      wide[i] = _mm512_castsi128_si512(_mm_loadu_si128(part));
      wide[i] = _mm512_inserti32x4(wide[i], _mm_loadu_si128(part + 4), 1);
      wide[i] = _mm512_inserti32x4(wide[i], _mm_loadu_si128(part + 8), 2);
      wide[i] = _mm512_inserti32x4(wide[i], _mm_loadu_si128(part + 12), 3);
    }
  }
  ETALON_INLINE Bytes mean(const Qs8Mean& m, std::int32_t offset) const {
    const __m512 scale = _mm512_set1_ps(m.scale), zero = _mm512_set1_ps(static_cast<float>(m.zero_point));
    const __m512 min = _mm512_set1_ps(static_cast<float>(m.min)), max = _mm512_set1_ps(static_cast<float>(m.max));
    __m512i x[4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      const __m512 sum = _mm512_cvtepi32_ps(_mm512_sub_epi32(wide[i], _mm512_set1_epi32(offset)));
      const __m512 moved = _mm512_add_ps(_mm512_mul_ps(sum, scale), zero);
      x[i] = _mm512_cvtps_epi32(_mm512_min_ps(_mm512_max_ps(moved, min), max));
    }
    return Storing(0, -128, 127)(x);
  }
};

// Registers of 128, 256 and 512 bits for transposition, which works within 128 bits.
struct Lanes1 {
  static constexpr std::size_t kCount = 1;
  __m128i v;
  ETALON_INLINE static Lanes1 load(const std::int8_t* p, std::size_t) {
    return {_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))};
  }
  ETALON_INLINE void store(std::int8_t* p) const { _mm_storeu_si128(reinterpret_cast<__m128i*>(p), v); }
};
struct Lanes2 {
  using Half = Lanes1;
  static constexpr std::size_t kCount = 2;
  __m256i v;
  // Of pointers `step` apart.
  ETALON_INLINE static Lanes2 load(const std::int8_t* p, std::size_t step) {
    return {_mm256_set_m128i(Lanes1::load(p + step, 0).v, Lanes1::load(p, 0).v)};
  }
  ETALON_INLINE void store(std::int8_t* p) const { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), v); }
};
struct Lanes4 {
  using Half = Lanes2;
  static constexpr std::size_t kCount = 4;
  __m512i v;
  ETALON_INLINE static Lanes4 load(const std::int8_t* p, std::size_t step) {
    return {_mm512_inserti64x4(_mm512_castsi256_si512(Lanes2::load(p, step).v), Lanes2::load(p + 2 * step, step).v, 1)};
  }
  ETALON_INLINE void store(std::int8_t* p) const { _mm512_storeu_si512(p, v); }
};
ETALON_INLINE Lanes1 zip_low(Lanes1 a, Lanes1 b) { return {_mm_unpacklo_epi8(a.v, b.v)}; }
ETALON_INLINE Lanes1 zip_high(Lanes1 a, Lanes1 b) { return {_mm_unpackhi_epi8(a.v, b.v)}; }
ETALON_INLINE Lanes2 zip_low(Lanes2 a, Lanes2 b) { return {_mm256_unpacklo_epi8(a.v, b.v)}; }
ETALON_INLINE Lanes2 zip_high(Lanes2 a, Lanes2 b) { return {_mm256_unpackhi_epi8(a.v, b.v)}; }
ETALON_INLINE Lanes4 zip_low(Lanes4 a, Lanes4 b) { return {_mm512_unpacklo_epi8(a.v, b.v)}; }
ETALON_INLINE Lanes4 zip_high(Lanes4 a, Lanes4 b) { return {_mm512_unpackhi_epi8(a.v, b.v)}; }
using WidestLanes = Lanes4;

}  // namespace
}  // namespace etalon::kernels
