// For tests and benchmarks of kernels: which ISAs this CPU can run, and what 16 bits make of a number.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#if defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

#include "kernels/isa.h"
#include "kernels/math_mode.h"
#include "tensor/half.h"

namespace etalon::kernels::testing {

#if defined(__x86_64__)
// __builtin_cpu_supports() of clang 14 does not know it.
inline bool has_avx_vnni() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0 && (a & 1u << 4) != 0;
}

// Tile registers take so much room in a saved context that Linux gives them only to those who ask.
inline bool amx_is_granted() {
  static const bool granted = [] {
    unsigned a = 0, b = 0, c = 0, d = 0;
    constexpr unsigned kBf16TilesInt8 = 1u << 22 | 1u << 24 | 1u << 25;
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0 || (d & kBf16TilesInt8) != kBf16TilesInt8) return false;
    constexpr long kRequestPermission = 0x1023, kTileData = 18;
    return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
  }();
  return granted;
}
#endif

inline bool cpu_runs(Isa isa) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  switch (isa) {
    case Isa::kScalar: return true;
    case Isa::kAvx2: return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case Isa::kAvxVnni: return cpu_runs(Isa::kAvx2) && has_avx_vnni();
    case Isa::kAvx512: return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                              __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    case Isa::kAvx512Vnni: return cpu_runs(Isa::kAvx512) && __builtin_cpu_supports("avx512vnni");
    case Isa::kAvx512Bf16: return cpu_runs(Isa::kAvx512Vnni) && __builtin_cpu_supports("avx512bf16");
    case Isa::kAmx: return cpu_runs(Isa::kAvx512Bf16) && __builtin_cpu_supports("avx512vbmi") && amx_is_granted();
  }
  return false;
#else
#if defined(__aarch64__) && defined(__linux__)
  // HWCAP_ASIMDHP, HWCAP_ASIMDDP, HWCAP2_I8MM, HWCAP2_BF16
  constexpr unsigned long kHalf = 1ul << 10, kDot = 1ul << 20, kI8mm = 1ul << 13, kBf16 = 1ul << 14;
  if (isa == Isa::kNeonFp16) return (getauxval(AT_HWCAP) & kHalf) != 0;
  if (isa == Isa::kNeonDot) return cpu_runs(Isa::kNeonFp16) && (getauxval(AT_HWCAP) & kDot) != 0;
  if (isa == Isa::kNeonI8mm) return cpu_runs(Isa::kNeonDot) && (getauxval(AT_HWCAP2) & kI8mm) != 0;
  if (isa == Isa::kNeonBf16) return cpu_runs(Isa::kNeonI8mm) && (getauxval(AT_HWCAP2) & kBf16) != 0;
#endif
#if defined(__aarch64__)
  if (isa == Isa::kNeon) return true;
#endif
  return isa == Isa::kScalar;
#endif
}

// A factor as kernels of this mode round it, to nearest even.
inline float rounded_for(MathMode math, float x) {
  if (math == MathMode::kFp16) return Half::to_float(Half::from_float(x));
  if (math != MathMode::kBf16 || std::isnan(x)) return x;
  std::uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  bits = (bits + 0x7fffu + (bits >> 16 & 1u)) & 0xffff0000u;
  std::memcpy(&x, &bits, sizeof bits);
  return x;
}
// How far sums of rounded factors may be off, relative to the sum of magnitudes. Sums in half precision round 32 times by up
// to 2^-11 before float32 takes over; as roundings go both ways, the root of that is what happens.
inline double tolerance_of_sums(MathMode math) { return math == MathMode::kFp16 ? 3e-3 : 1e-6; }

inline std::vector<Isa> isas_to_test() {
  std::vector<Isa> out;
  for (const IsaInfo& info : all_isas()) {
    if (cpu_runs(info.isa)) out.push_back(info.isa);
  }
  return out;
}

}  // namespace etalon::kernels::testing
