// Bytes for AArch64 Advanced SIMD: 16 int8. See qs8_vector_impl.h.
#pragma once

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>

#include "kernels/qs8_vector/qs8_vector.h"

#define ETALON_ISA kNeon
#define ETALON_ISA_SUFFIX "neon"
#define ETALON_INLINE inline __attribute__((always_inline))

#include "kernels/qs8_vector/part16_impl.h"

namespace etalon::kernels {
namespace {

struct Bytes {
  static constexpr std::size_t kCount = 16;
  int8x16_t v;

  ETALON_INLINE static Bytes of(std::int8_t x) { return {vdupq_n_s8(x)}; }
  ETALON_INLINE static Bytes load(const std::int8_t* p) { return {vld1q_s8(p)}; }
  // The first `n` < kCount; the rest are zero and not touched in memory.
  ETALON_INLINE static Bytes load(const std::int8_t* p, std::size_t n) {
    const Sixteen part = load_part16(p, n);
    return {vreinterpretq_s8_u64(vcombine_u64(vcreate_u64(part.low), vcreate_u64(part.high)))};
  }
  ETALON_INLINE void store(std::int8_t* p) const { vst1q_s8(p, v); }
  ETALON_INLINE void store(std::int8_t* p, std::size_t n) const {
    const uint64x2_t both = vreinterpretq_u64_s8(v);
    store_part16({vgetq_lane_u64(both, 0), vgetq_lane_u64(both, 1)}, p, n);
  }
};
ETALON_INLINE Bytes max(Bytes a, Bytes b) { return {vmaxq_s8(a.v, b.v)}; }
ETALON_INLINE Bytes min(Bytes a, Bytes b) { return {vminq_s8(a.v, b.v)}; }

// 32-bit numbers become bytes: narrowed with saturation, moved by the zero point and held within limits.
struct Storing {
  int16x8_t zero;
  Bytes low, high;
  ETALON_INLINE Storing(std::int32_t zero_point, std::int32_t min, std::int32_t max)
      : zero(vdupq_n_s16(static_cast<std::int16_t>(zero_point))),
        low(Bytes::of(static_cast<std::int8_t>(min))),
        high(Bytes::of(static_cast<std::int8_t>(max))) {}
  ETALON_INLINE int16x8_t moved(int32x4_t a, int32x4_t b) const {
    return vqaddq_s16(vcombine_s16(vqmovn_s32(a), vqmovn_s32(b)), zero);
  }
  ETALON_INLINE Bytes operator()(const int32x4_t (&x)[4]) const {
    const int8x16_t bytes = vcombine_s8(vqmovn_s16(moved(x[0], x[1])), vqmovn_s16(moved(x[2], x[3])));
    return min(max({bytes}, low), high);
  }
};

ETALON_INLINE void widen_all(int16x8_t low, int16x8_t high, int32x4_t (&out)[4]) {
  out[0] = vmovl_s16(vget_low_s16(low));
  out[1] = vmovl_high_s16(low);
  out[2] = vmovl_s16(vget_low_s16(high));
  out[3] = vmovl_high_s16(high);
}

struct Summing {
  int32x4_t bias, left, right, shift;  // a shift to the left, which is negative
  Storing stored;
  ETALON_INLINE explicit Summing(const Qs8Sum& s)
      : bias(vdupq_n_s32(s.bias)),
        left(vdupq_n_s32(s.left)),
        right(vdupq_n_s32(s.right)),
        shift(vdupq_n_s32(-static_cast<std::int32_t>(s.shift))),
        stored(s.zero_point, s.min, s.max) {}
  ETALON_INLINE Bytes operator()(Bytes a, Bytes b) const {
    int32x4_t wide_a[4], wide_b[4], x[4];
    widen_all(vmovl_s8(vget_low_s8(a.v)), vmovl_high_s8(a.v), wide_a);
    widen_all(vmovl_s8(vget_low_s8(b.v)), vmovl_high_s8(b.v), wide_b);
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      x[i] = vshlq_s32(vmlaq_s32(vmlaq_s32(bias, wide_a[i], left), wide_b[i], right), shift);
    }
    return stored(x);
  }
};

// The conversion to integers saturates, so every scale is treated alike.
template <bool>
struct Multiplying {
  int8x16_t left_zero, right_zero;
  float32x4_t scale;
  Storing stored;
  ETALON_INLINE explicit Multiplying(const Qs8Product& p)
      : left_zero(vdupq_n_s8(static_cast<std::int8_t>(p.left_zero))),
        right_zero(vdupq_n_s8(static_cast<std::int8_t>(p.right_zero))),
        scale(vdupq_n_f32(p.scale)),
        stored(p.zero_point, p.min, p.max) {}
  ETALON_INLINE int32x4_t scaled(int32x4_t product) const {
    return vcvtnq_s32_f32(vmulq_f32(vcvtq_f32_s32(product), scale));
  }
  ETALON_INLINE Bytes operator()(Bytes a, Bytes b) const {
    const int16x8_t a0 = vsubl_s8(vget_low_s8(a.v), vget_low_s8(left_zero)), a1 = vsubl_high_s8(a.v, left_zero);
    const int16x8_t b0 = vsubl_s8(vget_low_s8(b.v), vget_low_s8(right_zero)), b1 = vsubl_high_s8(b.v, right_zero);
    const int32x4_t x[4] = {scaled(vmull_s16(vget_low_s16(a0), vget_low_s16(b0))), scaled(vmull_high_s16(a0, b0)),
                            scaled(vmull_s16(vget_low_s16(a1), vget_low_s16(b1))), scaled(vmull_high_s16(a1, b1))};
    return stored(x);
  }
};

struct Quantising {
  float32x4_t inverse_scale, low;
  Storing stored;
  ETALON_INLINE Quantising(float inverse, std::int32_t zero_point)
      : inverse_scale(vdupq_n_f32(inverse)),
        low(vdupq_n_f32(static_cast<float>(-128 - zero_point))),
        stored(zero_point, -128, 127) {}
  // Of NaN and a number this maximum is the number; the conversion would have made zero of it.
  ETALON_INLINE int32x4_t rounded(float32x4_t x) const {
    return vcvtnq_s32_f32(vmaxnmq_f32(vmulq_f32(x, inverse_scale), low));
  }
  ETALON_INLINE Bytes operator()(const float* x) const {
    const int32x4_t whole[4] = {rounded(vld1q_f32(x)), rounded(vld1q_f32(x + 4)), rounded(vld1q_f32(x + 8)),
                                rounded(vld1q_f32(x + 12))};
    return stored(whole);
  }
  ETALON_INLINE Bytes operator()(const float* x, std::size_t n) const {
    float copy[Bytes::kCount] = {};
    __builtin_memcpy(copy, x, n * sizeof *x);
    return (*this)(copy);
  }
};

struct Dequantising {
  int8x16_t zero;
  float32x4_t scale;
  ETALON_INLINE Dequantising(float s, std::int32_t zero_point)
      : zero(vdupq_n_s8(static_cast<std::int8_t>(zero_point))), scale(vdupq_n_f32(s)) {}
  ETALON_INLINE void operator()(Bytes x, float* out) const {
    int32x4_t wide[4];
    widen_all(vsubl_s8(vget_low_s8(x.v), vget_low_s8(zero)), vsubl_high_s8(x.v, zero), wide);
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) vst1q_f32(out + 4 * i, vmulq_f32(scale, vcvtq_f32_s32(wide[i])));
  }
  ETALON_INLINE void operator()(Bytes x, float* out, std::size_t n) const {
    float copy[Bytes::kCount];
    (*this)(x, copy);
    __builtin_memcpy(out, copy, n * sizeof *out);
  }
};

// Smallest and largest of x, those given included; NaN counts as nothing: comparisons with it are false.
ETALON_INLINE void widen_range(const float* x, std::size_t n, float& low, float& high) {
  constexpr std::size_t kVecs = 4;
  float32x4_t smallest[kVecs], largest[kVecs];
#pragma GCC unroll 4
  for (std::size_t v = 0; v < kVecs; ++v) smallest[v] = vdupq_n_f32(low), largest[v] = vdupq_n_f32(high);
  std::size_t i = 0;
  for (; i + 4 * kVecs <= n; i += 4 * kVecs) {
#pragma GCC unroll 4
    for (std::size_t v = 0; v < kVecs; ++v) {
      const float32x4_t some = vld1q_f32(x + i + 4 * v);
      smallest[v] = vbslq_f32(vcltq_f32(some, smallest[v]), some, smallest[v]);
      largest[v] = vbslq_f32(vcgtq_f32(some, largest[v]), some, largest[v]);
    }
  }
  for (; i < n; ++i) {
    low = x[i] < low ? x[i] : low;
    high = x[i] > high ? x[i] : high;
  }
  const float below = vminvq_f32(vminq_f32(vminq_f32(smallest[0], smallest[1]), vminq_f32(smallest[2], smallest[3])));
  const float above = vmaxvq_f32(vmaxq_f32(vmaxq_f32(largest[0], largest[1]), vmaxq_f32(largest[2], largest[3])));
  low = below < low ? below : low;
  high = above > high ? above : high;
}

// Four tables of 64 bytes; an index beyond one gives zero.
struct Translating {
  uint8x16x4_t part[4];
  ETALON_INLINE explicit Translating(const std::uint8_t* table) {
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) part[i] = vld1q_u8_x4(table + 64 * i);
  }
  ETALON_INLINE Bytes operator()(Bytes x) const {
    const uint8x16_t next = vdupq_n_u8(64);
    uint8x16_t index = vreinterpretq_u8_s8(x.v), y = vqtbl4q_u8(part[0], index);
#pragma GCC unroll 4
    for (int i = 1; i < 4; ++i) {
      index = vsubq_u8(index, next);
      y = vorrq_u8(y, vqtbl4q_u8(part[i], index));
    }
    return {vreinterpretq_s8_u8(y)};
  }
};
ETALON_INLINE void translate_bytes(const std::int8_t* x, std::int8_t* out, std::size_t n, const std::uint8_t* table) {
  constexpr std::size_t kWorthLoading = 64;
  std::size_t i = 0;
  if (n >= kWorthLoading) {
    const Translating translated(table);
    for (; i + Bytes::kCount <= n; i += Bytes::kCount) translated(Bytes::load(x + i)).store(out + i);
  }
  for (; i < n; ++i) out[i] = static_cast<std::int8_t>(table[static_cast<std::uint8_t>(x[i])]);
}

// Bytes of a channel are added up in 16 bits as long as their sums fit.
struct ColumnSums {
  static constexpr std::size_t kPairs = 128;
  int16x8_t narrow[2];
  int32x4_t wide[4];
  ETALON_INLINE ColumnSums() {
    narrow[0] = narrow[1] = vdupq_n_s16(0);
    wide[0] = wide[1] = wide[2] = wide[3] = vdupq_n_s32(0);
  }
  ETALON_INLINE void add(Bytes a, Bytes b) {
    narrow[0] = vaddq_s16(narrow[0], vaddl_s8(vget_low_s8(a.v), vget_low_s8(b.v)));
    narrow[1] = vaddq_s16(narrow[1], vaddl_high_s8(a.v, b.v));
  }
  ETALON_INLINE void widen() {
    int32x4_t more[4];
    widen_all(narrow[0], narrow[1], more);
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) wide[i] = vaddq_s32(wide[i], more[i]);
    narrow[0] = narrow[1] = vdupq_n_s16(0);
  }
  // Between wide sums and memory, by channel.
  ETALON_INLINE void store(std::int32_t* out) const {
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) vst1q_s32(out + 4 * i, wide[i]);
  }
  ETALON_INLINE void load(const std::int32_t* from) {
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) wide[i] = vld1q_s32(from + 4 * i);
  }
  ETALON_INLINE Bytes mean(const Qs8Mean& m, std::int32_t offset) const {
    const float32x4_t scale = vdupq_n_f32(m.scale), zero = vdupq_n_f32(static_cast<float>(m.zero_point));
    const float32x4_t low = vdupq_n_f32(static_cast<float>(m.min)), high = vdupq_n_f32(static_cast<float>(m.max));
    int32x4_t x[4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      const float32x4_t sum = vcvtq_f32_s32(vsubq_s32(wide[i], vdupq_n_s32(offset)));
      const float32x4_t moved = vaddq_f32(vmulq_f32(sum, scale), zero);
      x[i] = vcvtnq_s32_f32(vminnmq_f32(vmaxnmq_f32(moved, low), high));
    }
    return Storing(0, -128, 127)(x);
  }
};

struct Lanes1 {
  static constexpr std::size_t kCount = 1;
  int8x16_t v;
  ETALON_INLINE static Lanes1 load(const std::int8_t* p, std::size_t) { return {vld1q_s8(p)}; }
  ETALON_INLINE void store(std::int8_t* p) const { vst1q_s8(p, v); }
};
ETALON_INLINE Lanes1 zip_low(Lanes1 a, Lanes1 b) { return {vzip1q_s8(a.v, b.v)}; }
ETALON_INLINE Lanes1 zip_high(Lanes1 a, Lanes1 b) { return {vzip2q_s8(a.v, b.v)}; }
using WidestLanes = Lanes1;

}  // namespace
}  // namespace etalon::kernels
