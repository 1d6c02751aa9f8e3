// VNNI on 32-byte registers, which machines without AVX-512 have too.
#include <immintrin.h>

#include "kernels/ceilings/count_up_impl.h"

namespace etalon::kernels {
namespace {

struct Vnni {
  using Register = __m256i;
  static inline Register zero() { return _mm256_setzero_si256(); }
  static inline Register ones_a() { return _mm256_set1_epi8(1); }
  static inline Register ones_b() { return _mm256_set1_epi8(1); }
  static inline void add(Register& sum, Register a, Register b) {
    asm volatile("%{vex%} vpdpbusd %2, %1, %0" : "+x"(sum) : "x"(a), "x"(b));
  }
  static inline void keep(Register& value) { asm volatile("" : "+x"(value)); }
  static inline double first(Register value) { return _mm256_cvtsi256_si32(value); }
};

}  // namespace

extern constinit const ComputeLoop kVnniAvxVnni = compute_loop<Vnni, 12>(Isa::kAvxVnni, "", "int8", "vnni", 64, 4);

}  // namespace etalon::kernels
