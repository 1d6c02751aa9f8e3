// For tests and benchmarks of kernels: which ISAs this CPU can run.
#pragma once

#include <string_view>
#include <vector>

#include "kernels/isa.h"

namespace etalon::kernels::testing {

inline bool cpu_runs(Isa isa) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  switch (isa) {
    case Isa::kScalar: return true;
    case Isa::kAvx2: return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case Isa::kAvx512: return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                              __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    case Isa::kAvx512Vnni: return cpu_runs(Isa::kAvx512) && __builtin_cpu_supports("avx512vnni");
    case Isa::kAvx512Bf16: return cpu_runs(Isa::kAvx512Vnni) && __builtin_cpu_supports("avx512bf16");
    case Isa::kAmx: return false;  // wants the system's permission first: tests of it ask for that themselves
  }
  return false;
#else
  return isa == Isa::kScalar
#if defined(__aarch64__)
         || isa == Isa::kNeon
#endif
      ;
#endif
}

inline std::vector<Isa> isas_to_test() {
  std::vector<Isa> out;
  for (const IsaInfo& info : all_isas()) {
    if (cpu_runs(info.isa)) out.push_back(info.isa);
  }
  return out;
}

}  // namespace etalon::kernels::testing
