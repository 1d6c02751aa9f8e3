#include <immintrin.h>

#include "kernels/ceilings/count_up_impl.h"

namespace etalon::kernels {
namespace {

// Two products of bfloat16 per float. Written as assembly, so that no compiler's idea of the operands' type matters.
struct Dot {
  using Register = __m512;
  static inline Register zero() { return _mm512_setzero_ps(); }
  static inline Register ones_a() { return _mm512_castsi512_ps(_mm512_set1_epi16(0x3f80)); }
  static inline Register ones_b() { return ones_a(); }
  static inline void add(Register& sum, Register a, Register b) {
    asm volatile("vdpbf16ps %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));
  }
  static inline void keep(Register& value) { asm volatile("" : "+v"(value)); }
  static inline double first(Register value) { return static_cast<double>(_mm512_cvtss_f32(value)); }
};

}  // namespace

extern constinit const ComputeLoop kDotAvx512Bf16 =
    compute_loop<Dot, 24>(Isa::kAvx512Bf16, "", "bfloat16", "dot product", 64, 2);

}  // namespace etalon::kernels
