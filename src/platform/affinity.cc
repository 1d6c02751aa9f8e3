#include "platform/affinity.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#ifdef __linux__
#include <sched.h>
#endif

namespace etalon::platform {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

Result<std::vector<int>> parse_cpu_mask(std::string_view mask) {
  constexpr std::size_t kMaxDigits = 256;  // 1024 CPUs, what sched_setaffinity takes
  std::string_view digits = mask;
  if (digits.starts_with("0x") || digits.starts_with("0X")) digits.remove_prefix(2);
  const Error wrong = invalid_input("CPU mask is '" + std::string(mask) + "', want a hexadecimal number such as 0xf0");
  if (digits.empty() || digits.size() > kMaxDigits) return wrong;
  std::vector<int> cpus;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const int value = hex_digit(digits[digits.size() - 1 - i]);
    if (value < 0) return wrong;
    for (int bit = 0; bit < 4; ++bit) {
      if ((value >> bit & 1) != 0) cpus.push_back(static_cast<int>(i) * 4 + bit);
    }
  }
  if (cpus.empty()) return wrong;
  return cpus;
}

#ifdef __linux__

Status set_affinity(const std::vector<int>& cpus) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int cpu : cpus) {
    if (cpu >= 0 && cpu < CPU_SETSIZE) CPU_SET(static_cast<std::size_t>(cpu), &set);
  }
  if (::sched_setaffinity(0, sizeof(set), &set) == 0) return {};
  if (errno == EINVAL) return invalid_input("none of the CPUs in the mask can be used on this machine");
  return io_error(std::string("cannot set the CPU affinity: ") + std::strerror(errno));
}

std::vector<int> affinity() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> cpus;
  if (::sched_getaffinity(0, sizeof(set), &set) != 0) return cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(static_cast<std::size_t>(cpu), &set)) cpus.push_back(cpu);
  }
  return cpus;
}

#else

Status set_affinity(const std::vector<int>&) { return unsupported("this system cannot pin threads to CPUs"); }
std::vector<int> affinity() { return {}; }

#endif

int usable_cpu_count() {
  if (const auto cpus = affinity(); !cpus.empty()) return static_cast<int>(cpus.size());
  return static_cast<int>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN)));
}

}  // namespace etalon::platform
