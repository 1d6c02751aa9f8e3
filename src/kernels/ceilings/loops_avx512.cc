#include <immintrin.h>

#include "kernels/ceilings/count_up_impl.h"
#include "kernels/ceilings/stream_impl.h"

namespace etalon::kernels {
namespace {

struct Fma {
  using Register = __m512;
  static inline Register zero() { return _mm512_setzero_ps(); }
  static inline Register ones_a() { return _mm512_set1_ps(1); }
  static inline Register ones_b() { return _mm512_set1_ps(1); }
  static inline void add(Register& sum, Register a, Register b) { sum = _mm512_fmadd_ps(sum, a, b); }
  static inline void keep(Register& value) { asm volatile("" : "+v"(value)); }
  static inline double first(Register value) { return static_cast<double>(_mm512_cvtss_f32(value)); }
};

// AVX512-FP16, as assembly because the flags of this file do not include it.
struct HalfFma {
  using Register = __m512i;
  static constexpr short kOne = 0x3c00;
  static inline Register zero() { return _mm512_setzero_si512(); }
  static inline Register ones_a() { return _mm512_set1_epi16(kOne); }
  static inline Register ones_b() { return _mm512_set1_epi16(kOne); }
  static inline void add(Register& sum, Register a, Register b) {
    asm volatile("vfmadd213ph %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));
  }
  static inline void keep(Register& value) { asm volatile("" : "+v"(value)); }
  static inline double first(Register value) {
    return static_cast<double>(_mm512_cvtss_f32(_mm512_cvtph_ps(_mm512_castsi512_si256(value))));
  }
};

struct Maddubs {
  using Register = __m512i;
  static inline Register zero() { return _mm512_setzero_si512(); }
  static inline Register ones_a() { return _mm512_set1_epi8(1); }
  static inline Register ones_b() { return _mm512_set1_epi8(1); }
  static inline void add(Register& sum, Register& a, Register b) {
    keep(a);  // or it would be computed once
    const __m512i pairs = _mm512_maddubs_epi16(a, b);
    sum = _mm512_add_epi32(sum, _mm512_madd_epi16(pairs, _mm512_set1_epi16(1)));
  }
  static inline void keep(Register& value) { asm volatile("" : "+v"(value)); }
  static inline double first(Register value) { return _mm_cvtsi128_si32(_mm512_castsi512_si128(value)); }
};

struct Wide {
  __m512i v;
  static inline Wide zero() { return {_mm512_setzero_si512()}; }
  static inline Wide load(const std::byte* p) { return {_mm512_loadu_si512(p)}; }
  inline void store(std::byte* p) const { _mm512_storeu_si512(p, v); }
  inline void xor_with(Wide other) { v = _mm512_xor_si512(v, other.v); }
  inline std::uint64_t first_word() const {
    return static_cast<std::uint64_t>(_mm_cvtsi128_si64(_mm512_castsi512_si128(v)));
  }
};

}  // namespace

extern constinit const ComputeLoop kFmaAvx512 = compute_loop<Fma, 16>(Isa::kAvx512, "", "float32", "fma", 32, 1);
extern constinit const ComputeLoop kMaddubsAvx512 =
    compute_loop<Maddubs, 16>(Isa::kAvx512, "", "int8", "maddubs", 128, 4);
extern constinit const ComputeLoop kHalfFmaAvx512 =
    compute_loop<HalfFma, 16>(Isa::kAvx512, "avx512_fp16", "float16", "fma", 64, 1);
extern constinit const StreamLoop kStreamAvx512 = make_stream_loop<Wide>(Isa::kAvx512);

}  // namespace etalon::kernels
