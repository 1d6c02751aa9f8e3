#include "measure/power.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "measure/distributions.h"
#include "measure/signed_rank.h"
#include "measure/statistics.h"

namespace etalon::measure {
namespace {

// The signed-rank test needs pi/3 times the units of a t test on normal noise (Hodges and Lehmann 1956), and
// fewer on the heavy tails of timings; the normal case is the one that cannot be too optimistic.
constexpr double kRankCost = 1.0471975511965976;

double power_with(double effect, double deviation, std::size_t count, double alpha) {
  return t_test_power(effect, deviation * std::sqrt(kRankCost), count, alpha);
}

}  // namespace

double robust_deviation(std::span<const double> units) {
  if (units.size() < 2) return 0;
  // Half of the pairwise distances |x - y| of normal values are below 0.954 standard deviations.
  std::vector<double> distances;
  for (std::size_t i = 0; i < units.size(); ++i) {
    for (std::size_t j = i + 1; j < units.size(); ++j) distances.push_back(std::fabs(units[i] - units[j]));
  }
  return median_in_place(distances) / 0.9538725524;
}

double smallest_effect(double deviation, std::size_t count, const PowerGoal& goal) {
  if (count < 2) return std::numeric_limits<double>::infinity();
  if (!(deviation > 0)) return 0;
  double low = 0;
  double high = 40 * deviation;
  for (int step = 0; step < 60; ++step) {
    const double middle = (low + high) / 2;
    (power_with(middle, deviation, count, goal.alpha) < goal.power ? low : high) = middle;
  }
  return high;
}

std::size_t units_needed(double deviation, double effect, std::size_t limit, const PowerGoal& goal) {
  std::size_t low = fewest_for_signed_rank(goal.alpha);
  if (!(effect > 0)) return limit;
  if (!(deviation > 0)) return std::min(low, limit);
  std::size_t high = std::max(low, limit);
  if (power_with(effect, deviation, high, goal.alpha) < goal.power) return limit;
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (power_with(effect, deviation, middle, goal.alpha) < goal.power) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return std::min(low, limit);
}

}  // namespace etalon::measure
