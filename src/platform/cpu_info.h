// What CPU this is: model, instruction-set extensions, caches. Read once from the hardware and the system; what cannot
// be found out is empty or absent.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace etalon::platform {

struct Cache {
  int level = 1;
  std::string type;  // "data", "instruction", "unified"
  std::uint64_t size_bytes = 0;
  std::uint32_t line_bytes = 0;
  std::uint32_t shared_by = 0;  // CPUs that use the same one; 0: unknown
};

struct CpuInfo {
  std::string architecture;           // "x86_64", "aarch64"
  std::string vendor;                 // "AuthenticAMD", "ARM"
  std::string model;                  // "AMD EPYC ...", "part 0xd4f"
  int logical_cpus = 1;               // online
  std::vector<std::string> features;  // usable ones, in the kernel's spelling: "avx2", "avx512f", "asimddp", "sme2"
  std::vector<Cache> caches;          // of CPU 0

  bool has(std::string_view feature) const;
  const Cache* cache(int level, std::string_view type) const;
};

// Thread-safe; costs a few file reads.
CpuInfo read_cpu_info();

// The parts of a /proc/cpuinfo text of either architecture; for files pulled from a device, and for tests.
CpuInfo parse_cpuinfo(std::string_view text);

}  // namespace etalon::platform
