// Where a series of times stops warming up. Many programs never do (Barrett et al. 2017), so it is looked for
// and not assumed.
//
// The rule: leading times outside the band of the second half (three robust deviations, at least 1 %) are
// dropped; then the rest is cut wherever Pettitt's rank test (1979) finds a shift of more than 1 % that
// chance explains in less than one case of a hundred. What follows the last cut is steady when it is at least
// 8 times long and a quarter of all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace etalon::measure {

enum class SteadyKind : std::uint8_t {
  kFlat,      // steady from the first run
  kWarmUp,    // faster in the end than at first
  kSlowdown,  // slower in the end: throttling, memory that fills
  kUnsteady,  // keeps changing
  kTooShort,  // fewer than 8 times
};
std::string_view steadiness_name(SteadyKind kind);  // "flat", "warm-up", "slowdown", "unsteady", "too short"

struct Steadiness {
  SteadyKind kind = SteadyKind::kTooShort;
  std::size_t first_steady = 0;  // index; the length of the series when nothing is
  double level = 0;              // median of the steady part, or of the second half

  bool steady() const { return kind < SteadyKind::kUnsteady; }
};

// Of times in the order they were taken, any unit.
Steadiness find_steady_state(std::span<const double> times);

}  // namespace etalon::measure
