#include <immintrin.h>

#include "kernels/ceilings/count_up_impl.h"
#include "kernels/ceilings/stream_impl.h"

namespace etalon::kernels {
namespace {

struct Fma {
  using Register = __m256;
  static inline Register zero() { return _mm256_setzero_ps(); }
  static inline Register ones_a() { return _mm256_set1_ps(1); }
  static inline Register ones_b() { return _mm256_set1_ps(1); }
  static inline void add(Register& sum, Register a, Register b) { sum = _mm256_fmadd_ps(sum, a, b); }
  static inline void keep(Register& value) { asm volatile("" : "+x"(value)); }
  static inline double first(Register value) { return static_cast<double>(_mm256_cvtss_f32(value)); }
};

// Before VNNI: pairs of bytes to 16 bits, those in pairs to 32 bits, and the sum.
struct Maddubs {
  using Register = __m256i;
  static inline Register zero() { return _mm256_setzero_si256(); }
  static inline Register ones_a() { return _mm256_set1_epi8(1); }
  static inline Register ones_b() { return _mm256_set1_epi8(1); }
  static inline void add(Register& sum, Register& a, Register b) {
    keep(a);  // or it would be computed once
    const __m256i pairs = _mm256_maddubs_epi16(a, b);
    sum = _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
  }
  static inline void keep(Register& value) { asm volatile("" : "+x"(value)); }
  static inline double first(Register value) { return _mm256_cvtsi256_si32(value); }
};

struct Wide {
  __m256i v;
  static inline Wide zero() { return {_mm256_setzero_si256()}; }
  static inline Wide load(const std::byte* p) { return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))}; }
  inline void store(std::byte* p) const { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), v); }
  inline void xor_with(Wide other) { v = _mm256_xor_si256(v, other.v); }
  inline std::uint64_t first_word() const { return static_cast<std::uint64_t>(_mm256_extract_epi64(v, 0)); }
};

}  // namespace

extern constinit const ComputeLoop kFmaAvx2 = compute_loop<Fma, 12>(Isa::kAvx2, "", "float32", "fma", 16, 1);
extern constinit const ComputeLoop kMaddubsAvx2 =
    compute_loop<Maddubs, 10>(Isa::kAvx2, "", "int8", "maddubs", 64, 4);
extern constinit const StreamLoop kStreamAvx2 = make_stream_loop<Wide>(Isa::kAvx2);

}  // namespace etalon::kernels
