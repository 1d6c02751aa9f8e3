// What compilers make of plain code: registers of 16 bytes that every machine of the architecture has.
#include <cstring>

#include "kernels/ceilings/count_up_impl.h"
#include "kernels/ceilings/stream_impl.h"

namespace etalon::kernels {
namespace {

#if defined(__x86_64__)
#define ETALON_REGISTER "+x"
#elif defined(__aarch64__)
#define ETALON_REGISTER "+w"
#else
#define ETALON_REGISTER "+m"
#endif

struct MultiplyAdd {
  using Register = float __attribute__((vector_size(16)));
  static inline Register zero() { return Register{}; }
  static inline Register ones_a() { return Register{1, 1, 1, 1}; }
  static inline Register ones_b() { return Register{1, 1, 1, 1}; }
  static inline void add(Register& sum, Register a, Register b) { sum = sum * a + b; }
  static inline void keep(Register& value) { asm volatile("" : ETALON_REGISTER(value)); }
  static inline double first(Register value) { return static_cast<double>(value[0]); }
};

struct Wide {
  using Register = std::uint64_t __attribute__((vector_size(16)));
  Register v;
  static inline Wide zero() { return {Register{}}; }
  static inline Wide load(const std::byte* p) {
    Wide out;
    std::memcpy(&out.v, p, sizeof(out.v));
    return out;
  }
  inline void store(std::byte* p) const { std::memcpy(p, &v, sizeof(v)); }
  inline void xor_with(Wide other) { v ^= other.v; }
  inline std::uint64_t first_word() const { return v[0]; }
};

}  // namespace

extern constinit const ComputeLoop kMultiplyAddScalar =
    compute_loop<MultiplyAdd, 12>(Isa::kScalar, "", "float32", "multiply, add", 8, 1);
extern constinit const StreamLoop kStreamScalar = make_stream_loop<Wide>(Isa::kScalar);

}  // namespace etalon::kernels
