// Memory of this process and machine, as the operating system counts it. A number that cannot be had is absent.
#pragma once

#include <cstdint>
#include <optional>

namespace etalon::platform {

// The most physical memory this process ever held.
std::optional<std::uint64_t> peak_rss_bytes();
// What it holds now.
std::optional<std::uint64_t> current_rss_bytes();
// Memory of the machine; the limit of the control group when that is lower.
std::optional<std::uint64_t> physical_memory_bytes();

// Page faults of this process so far: minor ones were served from memory, major ones from disk.
struct PageFaults {
  std::uint64_t minor = 0;
  std::uint64_t major = 0;
};
PageFaults page_faults();

}  // namespace etalon::platform
