// Which CPUs this process may use.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace etalon::platform {

// A mask as `taskset` takes it ("0x80", "f0", "3"): the CPU numbers it names, ascending.
// Errors: kInvalidInput (not a hexadecimal number, or no bit set).
Result<std::vector<int>> parse_cpu_mask(std::string_view mask);

// Keeps this thread, and those it starts later, on these CPUs.
// Errors: kInvalidInput (none of the CPUs exists), kUnsupported (the system has no such call).
Status set_affinity(const std::vector<int>& cpus);

// The CPUs this thread may run on; empty where the system does not tell.
std::vector<int> affinity();

// How many threads can run at once under the current affinity; at least 1.
int usable_cpu_count();

}  // namespace etalon::platform
