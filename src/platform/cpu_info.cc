#include "platform/cpu_info.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace etalon::platform {
namespace {

std::string read_small_file(const std::string& path) {
  std::string text;
  std::FILE* file = std::fopen(path.c_str(), "re");
  if (file == nullptr) return text;
  std::array<char, 4096> buffer;
  constexpr std::size_t kLimit = 1 << 20;
  while (text.size() < kLimit) {
    const std::size_t got = std::fread(buffer.data(), 1, buffer.size(), file);
    if (got == 0) break;
    text.append(buffer.data(), got);
  }
  std::fclose(file);
  return text;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

std::string_view take_until(std::string_view& rest, char end) {
  const std::size_t at = rest.find(end);
  const std::string_view part = rest.substr(0, at);
  rest = at == std::string_view::npos ? std::string_view{} : rest.substr(at + 1);
  return part;
}

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const std::string_view word = trimmed(take_until(text, ' '));
    if (!word.empty()) out.emplace_back(word);
  }
  return out;
}

void set_once(std::string& field, std::string_view value) {
  if (field.empty()) field = std::string(value);
}

std::string arm_vendor(std::string_view implementer) {
  if (implementer == "0x41") return "ARM";
  if (implementer == "0x51") return "Qualcomm";
  if (implementer == "0x53") return "Samsung";
  if (implementer == "0x61") return "Apple";
  return "implementer " + std::string(implementer);
}

// A core that lacks a feature the others have must not be promised it: only what all cores list is kept.
void keep_shared_features(CpuInfo& info, std::string_view line, bool first_core) {
  auto listed = words(line);
  if (first_core) {
    info.features = std::move(listed);
    return;
  }
  std::erase_if(info.features,
                [&](const std::string& feature) { return std::find(listed.begin(), listed.end(), feature) == listed.end(); });
}

std::uint64_t parse_size(std::string_view text) {
  const std::string copy(text);
  char* end = nullptr;
  std::uint64_t size = std::strtoull(copy.c_str(), &end, 10);
  if (*end == 'K') size <<= 10;
  if (*end == 'M') size <<= 20;
  return size;
}

std::uint32_t count_cpu_list(std::string_view list) {
  std::uint32_t count = 0;
  while (!list.empty()) {
    std::string_view range = trimmed(take_until(list, ','));
    if (range.empty()) continue;
    const auto first = static_cast<std::uint32_t>(parse_size(take_until(range, '-')));
    const auto last = range.empty() ? first : static_cast<std::uint32_t>(parse_size(range));
    count += last >= first ? last - first + 1 : 0;
  }
  return count;
}

std::vector<Cache> read_caches() {
  std::vector<Cache> caches;
  for (int i = 0; i < 8; ++i) {
    const std::string folder = "/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(i) + "/";
    const std::string size = read_small_file(folder + "size");
    if (size.empty()) break;
    Cache cache;
    cache.level = static_cast<int>(parse_size(read_small_file(folder + "level")));
    cache.type = std::string(trimmed(read_small_file(folder + "type")));
    if (!cache.type.empty() && cache.type[0] < 'a') cache.type[0] = static_cast<char>(cache.type[0] + 32);
    cache.size_bytes = parse_size(size);
    cache.line_bytes = static_cast<std::uint32_t>(parse_size(read_small_file(folder + "coherency_line_size")));
    cache.shared_by = count_cpu_list(read_small_file(folder + "shared_cpu_list"));
    caches.push_back(std::move(cache));
  }
  return caches;
}

#if defined(__x86_64__)
// Asked of the CPU itself where /proc is not mounted.
void fill_from_cpuid(CpuInfo& info) {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (info.vendor.empty() && __get_cpuid(0, &a, &b, &c, &d) != 0) {
    for (const unsigned word : {b, d, c}) {
      info.vendor.append(reinterpret_cast<const char*>(&word), sizeof(word));
    }
  }
  if (info.model.empty() && __get_cpuid(0x80000000u, &a, &b, &c, &d) != 0 && a >= 0x80000004u) {
    std::string brand;
    for (unsigned leaf = 0x80000002u; leaf <= 0x80000004u; ++leaf) {
      __get_cpuid(leaf, &a, &b, &c, &d);
      for (const unsigned word : {a, b, c, d}) brand.append(reinterpret_cast<const char*>(&word), sizeof(word));
    }
    info.model = std::string(trimmed(std::string_view(brand.c_str())));
  }
  if (!info.features.empty()) return;
  // __builtin_cpu_supports also checks that the system saves the registers.
  __builtin_cpu_init();
  if (__builtin_cpu_supports("sse4.2") != 0) info.features.emplace_back("sse4_2");
  if (__builtin_cpu_supports("avx") != 0) info.features.emplace_back("avx");
  if (__builtin_cpu_supports("fma") != 0) info.features.emplace_back("fma");
  if (__builtin_cpu_supports("avx2") != 0) info.features.emplace_back("avx2");
  if (__builtin_cpu_supports("avx512f") != 0) info.features.emplace_back("avx512f");
  if (__builtin_cpu_supports("avx512bw") != 0) info.features.emplace_back("avx512bw");
  if (__builtin_cpu_supports("avx512vl") != 0) info.features.emplace_back("avx512vl");
  if (__builtin_cpu_supports("avx512vnni") != 0) info.features.emplace_back("avx512_vnni");
}
#else
void fill_from_cpuid(CpuInfo&) {}
#endif

}  // namespace

bool CpuInfo::has(std::string_view feature) const {
  return std::find(features.begin(), features.end(), feature) != features.end();
}

const Cache* CpuInfo::cache(int level, std::string_view type) const {
  for (const Cache& cache : caches) {
    if (cache.level == level && cache.type == type) return &cache;
  }
  return nullptr;
}

CpuInfo parse_cpuinfo(std::string_view text) {
  CpuInfo info;
  int cores = 0;
  int feature_lines = 0;
  std::string part;
  while (!text.empty()) {
    std::string_view line = take_until(text, '\n');
    const std::string_view key = trimmed(take_until(line, ':'));
    const std::string_view value = trimmed(line);
    if (key == "processor") ++cores;
    if (key == "vendor_id") set_once(info.vendor, value);
    if (key == "model name" || key == "Hardware") set_once(info.model, value);
    if (key == "CPU implementer") set_once(info.vendor, arm_vendor(value));
    if (key == "CPU part") set_once(part, value);
    if (key == "flags" || key == "Features") keep_shared_features(info, value, feature_lines++ == 0);
  }
  if (info.model.empty() && !part.empty()) info.model = "part " + part;
  info.logical_cpus = std::max(cores, 1);
  return info;
}

CpuInfo read_cpu_info() {
  CpuInfo info = parse_cpuinfo(read_small_file("/proc/cpuinfo"));
  utsname names{};
  if (::uname(&names) == 0) info.architecture = names.machine;
  info.logical_cpus = static_cast<int>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN)));
  info.caches = read_caches();
  fill_from_cpuid(info);
  return info;
}

}  // namespace etalon::platform
