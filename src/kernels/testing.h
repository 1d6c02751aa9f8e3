// For tests and benchmarks of kernels: which ISAs this CPU can run, and what bfloat16 makes of a number.
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
    case Isa::kAmx: return cpu_runs(Isa::kAvx512Bf16) && amx_is_granted();
  }
  return false;
#else
#if defined(__aarch64__) && defined(__linux__)
  constexpr unsigned long kDot = 1ul << 20, kI8mm = 1ul << 13;  // HWCAP_ASIMDDP, HWCAP2_I8MM
  if (isa == Isa::kNeonDot) return (getauxval(AT_HWCAP) & kDot) != 0;
  if (isa == Isa::kNeonI8mm) return cpu_runs(Isa::kNeonDot) && (getauxval(AT_HWCAP2) & kI8mm) != 0;
#endif
#if defined(__aarch64__)
  if (isa == Isa::kNeon) return true;
#endif
  return isa == Isa::kScalar;
#endif
}

// To nearest even, as bfloat16 kernels round their factors.
inline float rounded_to_bfloat16(float x) {
  std::uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  if (std::isnan(x)) return x;
  bits = (bits + 0x7fffu + (bits >> 16 & 1u)) & 0xffff0000u;
  std::memcpy(&x, &bits, sizeof bits);
  return x;
}

inline std::vector<Isa> isas_to_test() {
  std::vector<Isa> out;
  for (const IsaInfo& info : all_isas()) {
    if (cpu_runs(info.isa)) out.push_back(info.isa);
  }
  return out;
}

}  // namespace etalon::kernels::testing
