#include "platform/memory.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace etalon::platform {
namespace {

std::optional<std::uint64_t> first_number_in(const char* path) {
  std::FILE* file = std::fopen(path, "re");
  if (file == nullptr) return std::nullopt;
  unsigned long long number = 0;
  const int found = std::fscanf(file, "%llu", &number);
  std::fclose(file);
  if (found != 1) return std::nullopt;
  return number;
}

std::optional<std::uint64_t> machine_memory() {
  const long pages = ::sysconf(_SC_PHYS_PAGES);
  const long page_size = ::sysconf(_SC_PAGESIZE);
  if (pages <= 0 || page_size <= 0) return std::nullopt;
  return static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(page_size);
}

rusage usage_of_this_process() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage;
}

// The kernel's high-water mark of this address space. rusage's would include the process that forked us: it survives
// exec, so that a small program started by a large one looks large.
std::optional<std::uint64_t> high_water_mark() {
  std::FILE* file = std::fopen("/proc/self/status", "re");
  if (file == nullptr) return std::nullopt;
  char line[256];
  unsigned long long kilobytes = 0;
  bool found = false;
  while (!found && std::fgets(line, sizeof line, file) != nullptr) found = std::sscanf(line, "VmHWM: %llu", &kilobytes) == 1;
  std::fclose(file);
  if (!found) return std::nullopt;
  return kilobytes * 1024u;
}

}  // namespace

std::optional<std::uint64_t> peak_rss_bytes() {
  if (const auto mark = high_water_mark()) return mark;
  const long peak = usage_of_this_process().ru_maxrss;
  if (peak <= 0) return std::nullopt;
#ifdef __APPLE__
  return static_cast<std::uint64_t>(peak);  // bytes there, kilobytes on Linux
#else
  return static_cast<std::uint64_t>(peak) * 1024u;
#endif
}

std::optional<std::uint64_t> current_rss_bytes() {
  std::FILE* file = std::fopen("/proc/self/statm", "re");
  if (file == nullptr) return std::nullopt;
  unsigned long long total = 0;
  unsigned long long resident = 0;
  const int found = std::fscanf(file, "%llu %llu", &total, &resident);
  std::fclose(file);
  const long page_size = ::sysconf(_SC_PAGESIZE);
  if (found != 2 || page_size <= 0) return std::nullopt;
  return resident * static_cast<std::uint64_t>(page_size);
}

std::optional<std::uint64_t> physical_memory_bytes() {
  const auto machine = machine_memory();
  const auto group = first_number_in("/sys/fs/cgroup/memory.max");  // "max" when there is no limit
  if (!machine) return group;
  return group ? std::min(*machine, *group) : *machine;
}

PageFaults page_faults() {
  const rusage usage = usage_of_this_process();
  return {static_cast<std::uint64_t>(usage.ru_minflt), static_cast<std::uint64_t>(usage.ru_majflt)};
}

}  // namespace etalon::platform
