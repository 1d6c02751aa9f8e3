#include "measure/sentinel.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "measure/statistics.h"
#include "platform/clock.h"

namespace etalon::measure {
namespace {

constexpr std::uint32_t kSteps = 100'000;  // about 0.1 ms: four or five cycles of latency each

// Each step waits for the one before it, so neither the width of the core nor the compiler changes what is
// timed.
std::uint64_t dependent_chain(std::uint64_t value) {
  for (std::uint32_t step = 0; step < kSteps; ++step) {
    value = value * 6364136223846793005U + 1442695040888963407U;
    asm volatile("" : "+r"(value));
  }
  return value;
}

}  // namespace

double time_sentinel_ns() {
  std::array<double, 5> readings{};
  std::uint64_t value = 1;
  for (double& reading : readings) {
    const std::uint64_t start = platform::now_ns();
    value = dependent_chain(value);
    reading = static_cast<double>(platform::now_ns() - start);
  }
  return median_in_place(readings);
}

void SentinelWatch::add(double reading_ns) {
  sorted_.insert(std::upper_bound(sorted_.begin(), sorted_.end(), reading_ns), reading_ns);
}

double SentinelWatch::baseline_ns() const { return quantile(sorted_, 0.25); }

bool SentinelWatch::deviates(double reading_ns) const {
  return !sorted_.empty() && reading_ns > (1 + tolerance_) * baseline_ns();
}

}  // namespace etalon::measure
