#include <immintrin.h>

#include "kernels/ceilings/count_up_impl.h"

namespace etalon::kernels {
namespace {

struct Vnni {
  using Register = __m512i;
  static inline Register zero() { return _mm512_setzero_si512(); }
  static inline Register ones_a() { return _mm512_set1_epi8(1); }
  static inline Register ones_b() { return _mm512_set1_epi8(1); }
  static inline void add(Register& sum, Register a, Register b) { sum = _mm512_dpbusd_epi32(sum, a, b); }
  static inline void keep(Register& value) { asm volatile("" : "+v"(value)); }
  static inline double first(Register value) { return _mm_cvtsi128_si32(_mm512_castsi512_si128(value)); }
};

}  // namespace

extern constinit const ComputeLoop kVnniAvx512Vnni =
    compute_loop<Vnni, 16>(Isa::kAvx512Vnni, "", "int8", "vnni", 128, 4);

}  // namespace etalon::kernels
