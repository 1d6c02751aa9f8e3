#include "measure/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "measure/distributions.h"
#include "measure/random.h"
#include "measure/statistics.h"

namespace etalon::measure {
namespace {

std::vector<double> resampled_statistics(std::span<const double> values, const Statistic& statistic,
                                         const BootstrapOptions& options) {
  Random random(options.seed);
  std::vector<double> results(options.resamples);
  std::vector<double> drawn(values.size());
  for (double& result : results) {
    for (double& value : drawn) value = values[random.below(values.size())];
    result = statistic(drawn);
  }
  std::sort(results.begin(), results.end());
  return results;
}

// The skew of the statistic, from leaving out one value at a time.
double acceleration(std::span<const double> values, const Statistic& statistic) {
  std::vector<double> without(values.size());
  std::vector<double> rest(values.size() - 1);
  for (std::size_t left_out = 0; left_out < values.size(); ++left_out) {
    for (std::size_t i = 0; i < rest.size(); ++i) rest[i] = values[i < left_out ? i : i + 1];
    without[left_out] = statistic(rest);
  }
  double mean = 0;
  for (const double value : without) mean += value / static_cast<double>(without.size());
  double squares = 0;
  double cubes = 0;
  for (const double value : without) {
    const double distance = mean - value;
    squares += distance * distance;
    cubes += distance * distance * distance;
  }
  return squares > 0 ? cubes / (6 * std::pow(squares, 1.5)) : 0;
}

// z0: how far the estimate is from the middle of the resampled ones. Values equal to it count half, since a
// statistic that is a middle value repeats itself often.
double bias_correction(std::span<const double> sorted, double estimate) {
  const auto [first, last] = std::equal_range(sorted.begin(), sorted.end(), estimate);
  const double below = static_cast<double>(first - sorted.begin()) + static_cast<double>(last - first) / 2;
  const auto count = static_cast<double>(sorted.size());
  return normal_quantile(std::clamp(below / count, 0.5 / count, 1 - 0.5 / count));
}

double corrected_level(double level, double bias, double skew) {
  if (bias == 0 && skew == 0) return level;
  const double z = bias + normal_quantile(level);
  return normal_cdf(bias + z / (1 - skew * z));
}

}  // namespace

BootstrapDistribution::BootstrapDistribution(std::span<const double> values, const Statistic& statistic,
                                             const BootstrapOptions& options) {
  if (values.empty()) return;
  std::vector<double> copy(values.begin(), values.end());
  estimate_ = statistic(copy);
  if (values.size() < 2 || options.resamples < 2) return;
  sorted_ = resampled_statistics(values, statistic, options);
  if (options.kind != BootstrapKind::kBca) return;
  bias_ = bias_correction(sorted_, estimate_);
  skew_ = acceleration(values, statistic);
}

Interval BootstrapDistribution::interval(double confidence) const {
  if (sorted_.empty()) return {estimate_, estimate_};
  const double tail = (1 - confidence) / 2;
  return {quantile(sorted_, corrected_level(tail, bias_, skew_)),
          quantile(sorted_, corrected_level(1 - tail, bias_, skew_))};
}

}  // namespace etalon::measure
