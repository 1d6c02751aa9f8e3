#include "cli/ceilings_levels.h"

#include <algorithm>
#include <cmath>

namespace etalon::cli {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
constexpr std::uint64_t kPage = 4096;

// The last level of a rented machine is shared with strangers, so that a large part of it is not ours: what is streamed
// stays in the lower part of what it claims.
constexpr std::uint64_t kLargestShared = 16 * kMiB;
// Far beyond any cache, and soon enough touched for the first time.
constexpr std::uint64_t kSmallestMemory = 128 * kMiB, kLargestMemory = 512 * kMiB;

std::uint64_t whole_pages(std::uint64_t bytes) { return std::max(bytes / kPage, std::uint64_t{1}) * kPage; }

const platform::Cache* data_cache(const platform::CpuInfo& cpu, int level) {
  const platform::Cache* found = cpu.cache(level, "data");
  if (found == nullptr) found = cpu.cache(level, "unified");
  return found != nullptr && found->size_bytes >= 2 * kPage ? found : nullptr;
}

// Threads run on different cores as long as there are some: how many of this cache they have.
std::uint64_t instances(const platform::CpuInfo& cpu, const platform::Cache& cache, std::uint32_t threads) {
  const bool is_last = cache.level >= 3;
  const auto cpus = static_cast<std::uint64_t>(std::max(cpu.logical_cpus, 1));
  const std::uint64_t shared_by = cache.shared_by > 0 ? cache.shared_by : (is_last ? cpus : 1);
  return std::clamp<std::uint64_t>(cpus / shared_by, 1, threads);
}

}  // namespace

std::vector<MemoryLevel> memory_levels(const platform::CpuInfo& cpu, std::uint32_t threads, std::uint64_t memory_bytes) {
  threads = std::max(threads, 1u);
  std::vector<MemoryLevel> levels;
  std::uint64_t nearer = 0, largest = 0;  // of one thread; of the machine
  for (int level = 1; level <= 3; ++level) {
    const platform::Cache* cache = data_cache(cpu, level);
    if (cache == nullptr) continue;
    const std::uint64_t capacity = cache->size_bytes * instances(cpu, *cache, threads);
    const std::uint64_t own = capacity / threads;
    // Half of a near cache; of the last one the geometric middle between it and the one before.
    std::uint64_t streamed = own / 2;
    if (level >= 3 && nearer > 0 && nearer < own) {
      const double middle = std::sqrt(static_cast<double>(nearer) * static_cast<double>(own));
      streamed = std::min({static_cast<std::uint64_t>(middle), own / 2, std::max(kLargestShared / threads, 2 * nearer)});
    }
    largest = std::max(largest, capacity);
    if (streamed <= nearer) continue;  // several threads may have no more of it than of the one before
    levels.push_back({"L" + std::to_string(level), whole_pages(streamed), capacity});
    nearer = own;
  }
  std::uint64_t memory = std::clamp(4 * largest, kSmallestMemory, kLargestMemory);
  if (memory_bytes > 0) memory = std::min(memory, memory_bytes / 8);
  levels.push_back({"memory", whole_pages(memory / threads), 0});
  return levels;
}

}  // namespace etalon::cli
