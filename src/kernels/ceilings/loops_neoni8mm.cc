// Products of 2x8 by 8x2 bytes, and of 2x4 by 4x2 bfloat16.
#include <arm_neon.h>

#include "kernels/ceilings/count_up_impl.h"

namespace etalon::kernels {
namespace {

struct Int8Matrix {
  using Register = int32x4_t;
  static inline Register zero() { return vdupq_n_s32(0); }
  static inline int8x16_t ones_a() { return vdupq_n_s8(1); }
  static inline int8x16_t ones_b() { return vdupq_n_s8(1); }
  static inline void add(Register& sum, int8x16_t a, int8x16_t b) { sum = vmmlaq_s32(sum, a, b); }
  static inline void keep(Register& value) { asm volatile("" : "+w"(value)); }
  static inline void keep(int8x16_t& value) { asm volatile("" : "+w"(value)); }
  static inline double first(Register value) { return vgetq_lane_s32(value, 0); }
};

// As assembly on plain registers, so that no compiler's bfloat16 type is needed.
struct Bf16Matrix {
  using Register = float32x4_t;
  static inline Register zero() { return vdupq_n_f32(0); }
  static inline Register ones_a() { return vreinterpretq_f32_u16(vdupq_n_u16(0x3f80)); }
  static inline Register ones_b() { return ones_a(); }
  static inline void add(Register& sum, Register a, Register b) {
    asm volatile("bfmmla %0.4s, %1.8h, %2.8h" : "+w"(sum) : "w"(a), "w"(b));
  }
  static inline void keep(Register& value) { asm volatile("" : "+w"(value)); }
  static inline double first(Register value) { return static_cast<double>(vgetq_lane_f32(value, 0)); }
};

}  // namespace

extern constinit const ComputeLoop kInt8NeonI8mm =
    compute_loop<Int8Matrix, 16>(Isa::kNeonI8mm, "", "int8", "i8mm", 64, 8);
extern constinit const ComputeLoop kBf16NeonBf16 =
    compute_loop<Bf16Matrix, 16>(Isa::kNeonBf16, "", "bfloat16", "bfmmla", 32, 4);

}  // namespace etalon::kernels
