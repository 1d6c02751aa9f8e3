// Monotonic time in nanoseconds; the one clock of everything that is timed.
#pragma once

#include <cstdint>

namespace etalon::platform {

// Nanoseconds of CLOCK_MONOTONIC: never goes back, not slewed by the date. Costs about 20 ns. Thread-safe.
std::uint64_t now_ns();

inline double ns_to_ms(std::uint64_t ns) { return static_cast<double>(ns) / 1e6; }

}  // namespace etalon::platform
