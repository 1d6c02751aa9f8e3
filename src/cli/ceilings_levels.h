// What to stream to find the bandwidth of each memory level.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "platform/cpu_info.h"

namespace etalon::cli {

struct MemoryLevel {
  std::string name;                  // "L1", "L2", "L3", "memory"
  std::uint64_t bytes_per_thread = 0;  // a multiple of 4096
  std::uint64_t capacity_bytes = 0;    // that `threads` threads have together; 0 for memory
};

// From near to far; levels that the system does not tell of are left out, memory never is. `memory_bytes` is what the
// machine has, 0 where that is unknown.
std::vector<MemoryLevel> memory_levels(const platform::CpuInfo& cpu, std::uint32_t threads, std::uint64_t memory_bytes);

}  // namespace etalon::cli
