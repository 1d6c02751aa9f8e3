#include "measure/statistics.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "measure/distributions.h"

namespace etalon::measure {

double quantile(std::span<const double> sorted, double fraction) {
  if (sorted.empty()) return 0;
  const double position = fraction * static_cast<double>(sorted.size() - 1);
  const auto low = static_cast<std::size_t>(position);
  const std::size_t high = std::min(low + 1, sorted.size() - 1);
  return sorted[low] + (sorted[high] - sorted[low]) * (position - static_cast<double>(low));
}

double median_in_place(std::span<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  const double below = *std::max_element(values.begin(), middle);
  return below + (*middle - below) / 2;
}

double median(std::span<const double> values) {
  std::vector<double> copy(values.begin(), values.end());
  return median_in_place(copy);
}

std::optional<QuantileBounds> quantile_bounds(std::span<const double> sorted, double fraction,
                                              double confidence) {
  const std::size_t count = sorted.size();
  if (count == 0 || !(fraction > 0 && fraction < 1) || !(confidence > 0 && confidence < 1))
    return std::nullopt;
  const double tail = (1 - confidence) / 2;
  // The i-th of n (0-based) is above the quantile with P(Binomial(n, fraction) <= i).
  std::size_t low = 0;
  while (low < count && binomial_cdf(low, count, fraction) <= tail) ++low;
  std::size_t high = low;
  while (high < count && binomial_cdf(high, count, fraction) < 1 - tail) ++high;
  if (low == 0 || high >= count) return std::nullopt;
  return QuantileBounds{sorted[low - 1], sorted[high]};
}

std::vector<std::size_t> far_outliers(std::span<const double> samples) {
  std::vector<std::size_t> found;
  if (samples.size() < 4) return found;
  std::vector<double> sorted(samples.begin(), samples.end());
  std::sort(sorted.begin(), sorted.end());
  const double third = quantile(sorted, 0.75);
  const double limit = third + 3 * (third - quantile(sorted, 0.25));
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (samples[i] > limit) found.push_back(i);
  }
  return found;
}

Summary summarize(std::span<const double> samples) {
  Summary summary;
  summary.count = samples.size();
  if (samples.empty()) return summary;
  std::vector<double> sorted(samples.begin(), samples.end());
  std::sort(sorted.begin(), sorted.end());
  const auto count = static_cast<double>(sorted.size());
  summary.min = sorted.front();
  summary.max = sorted.back();
  summary.median = quantile(sorted, 0.5);
  summary.p95 = quantile(sorted, 0.95);
  summary.mean = std::accumulate(sorted.begin(), sorted.end(), 0.0) / count;
  double squares = 0;
  for (const double sample : sorted) squares += (sample - summary.mean) * (sample - summary.mean);
  if (sorted.size() > 1) summary.stdev = std::sqrt(squares / (count - 1));
  if (summary.mean > 0) summary.cv_percent = 100 * summary.stdev / summary.mean;
  return summary;
}

}  // namespace etalon::measure
