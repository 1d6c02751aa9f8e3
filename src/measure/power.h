// What a comparison can and cannot see: computed from the A/A control before it starts, and printed beside
// its verdict.
#pragma once

#include <cstddef>
#include <span>

namespace etalon::measure {

struct PowerGoal {
  double alpha = 0.05;
  double power = 0.90;  // the chance to see the effect
};

// The standard deviation of units as the estimate of Hodges and Lehmann sees it: from the spread of their
// pair averages, so that one wild block counts once and not squared. 0 for fewer than two units.
double robust_deviation(std::span<const double> units);

// The smallest |log ratio| that `count` units with this deviation show with the power asked for; infinite
// below two units.
double smallest_effect(double deviation, std::size_t count, const PowerGoal& goal = {});

// How many units are needed to see |log ratio| `effect`; `limit` when more would be.
std::size_t units_needed(double deviation, double effect, std::size_t limit, const PowerGoal& goal = {});

}  // namespace etalon::measure
