#include <arm_neon.h>

#include "kernels/ceilings/count_up_impl.h"

namespace etalon::kernels {
namespace {

struct Dot {
  using Register = int32x4_t;
  static inline Register zero() { return vdupq_n_s32(0); }
  static inline int8x16_t ones_a() { return vdupq_n_s8(1); }
  static inline int8x16_t ones_b() { return vdupq_n_s8(1); }
  static inline void add(Register& sum, int8x16_t a, int8x16_t b) { sum = vdotq_s32(sum, a, b); }
  static inline void keep(Register& value) { asm volatile("" : "+w"(value)); }
  static inline void keep(int8x16_t& value) { asm volatile("" : "+w"(value)); }
  static inline double first(Register value) { return vgetq_lane_s32(value, 0); }
};

}  // namespace

extern constinit const ComputeLoop kDotNeonDot =
    compute_loop<Dot, 16>(Isa::kNeonDot, "", "int8", "dot product", 32, 4);

}  // namespace etalon::kernels
