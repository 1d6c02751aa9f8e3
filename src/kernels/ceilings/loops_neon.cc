#include <arm_neon.h>

#include "kernels/ceilings/count_up_impl.h"
#include "kernels/ceilings/stream_impl.h"

namespace etalon::kernels {
namespace {

struct Fma {
  using Register = float32x4_t;
  static inline Register zero() { return vdupq_n_f32(0); }
  static inline Register ones_a() { return vdupq_n_f32(1); }
  static inline Register ones_b() { return vdupq_n_f32(1); }
  static inline void add(Register& sum, Register a, Register b) { sum = vfmaq_f32(sum, a, b); }
  static inline void keep(Register& value) { asm volatile("" : "+w"(value)); }
  static inline double first(Register value) { return static_cast<double>(vgetq_lane_f32(value, 0)); }
};

// Before the dot product: bytes to sums of 16 bits, both halves of a register.
struct Widening {
  using Register = int16x8_t;
  static inline Register zero() { return vdupq_n_s16(0); }
  static inline int8x16_t ones_a() { return vdupq_n_s8(1); }
  static inline int8x16_t ones_b() { return vdupq_n_s8(1); }
  static inline void add(Register& sum, int8x16_t a, int8x16_t b) {
    sum = vmlal_s8(sum, vget_low_s8(a), vget_low_s8(b));
    sum = vmlal_high_s8(sum, a, b);
  }
  static inline void keep(Register& value) { asm volatile("" : "+w"(value)); }
  static inline void keep(int8x16_t& value) { asm volatile("" : "+w"(value)); }
  static inline double first(Register value) { return vgetq_lane_s16(value, 0); }
};

// fmla vD.8h, v24.8h, v25.8h as its encoding: neither the flags of this file nor every assembler know it.
#define ETALON_FMLA(d) ".inst 0x4e590f00 + " #d "\n\t"
#define ETALON_FMLA_8(a, b, c, d, e, f, g, h)                                                            \
  ETALON_FMLA(a) ETALON_FMLA(b) ETALON_FMLA(c) ETALON_FMLA(d) ETALON_FMLA(e) ETALON_FMLA(f) ETALON_FMLA(g) \
  ETALON_FMLA(h)
#define ETALON_FMLA_16 ETALON_FMLA_8(0, 1, 2, 3, 4, 5, 6, 7) ETALON_FMLA_8(16, 17, 18, 19, 20, 21, 22, 23)

double half_fma(std::int64_t rounds) {
  if (rounds <= 0) return 0;
  const uint16x8_t ones = vdupq_n_u16(0x3c00);
  uint16x8_t sum;
  asm volatile(
      "mov v24.16b, %2.16b\n\tmov v25.16b, %2.16b\n\t"
      "movi v0.2d, #0\n\tmovi v1.2d, #0\n\tmovi v2.2d, #0\n\tmovi v3.2d, #0\n\t"
      "movi v4.2d, #0\n\tmovi v5.2d, #0\n\tmovi v6.2d, #0\n\tmovi v7.2d, #0\n\t"
      "movi v16.2d, #0\n\tmovi v17.2d, #0\n\tmovi v18.2d, #0\n\tmovi v19.2d, #0\n\t"
      "movi v20.2d, #0\n\tmovi v21.2d, #0\n\tmovi v22.2d, #0\n\tmovi v23.2d, #0\n\t"
      "1:\n\t" ETALON_FMLA_16 ETALON_FMLA_16 ETALON_FMLA_16 ETALON_FMLA_16
      "subs %0, %0, #1\n\tb.ne 1b\n\tmov %1.16b, v0.16b"
      : "+r"(rounds), "=w"(sum)
      : "w"(ones)
      : "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24",
        "v25", "cc");
  return static_cast<double>(vgetq_lane_f32(vcvt_f32_f16(vreinterpret_f16_u16(vget_low_u16(sum))), 0));
}

struct Wide {
  uint64x2_t v;
  static inline Wide zero() { return {vdupq_n_u64(0)}; }
  static inline Wide load(const std::byte* p) {
    return {vreinterpretq_u64_u8(vld1q_u8(reinterpret_cast<const std::uint8_t*>(p)))};
  }
  inline void store(std::byte* p) const { vst1q_u8(reinterpret_cast<std::uint8_t*>(p), vreinterpretq_u8_u64(v)); }
  inline void xor_with(Wide other) { v = veorq_u64(v, other.v); }
  inline std::uint64_t first_word() const { return vgetq_lane_u64(v, 0); }
};

}  // namespace

extern constinit const ComputeLoop kFmaNeon = compute_loop<Fma, 16>(Isa::kNeon, "", "float32", "fma", 8, 1);
extern constinit const ComputeLoop kWideningNeon =
    compute_loop<Widening, 16>(Isa::kNeon, "", "int8", "widening multiply-add", 32, 2);
extern constinit const ComputeLoop kHalfFmaNeonFp16 = {
    Isa::kNeonFp16, "", "float16", "fma", 16 * 16 * 4, 4, &half_fma};
extern constinit const StreamLoop kStreamNeon = make_stream_loop<Wide>(Isa::kNeon);

}  // namespace etalon::kernels
