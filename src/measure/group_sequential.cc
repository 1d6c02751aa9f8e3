#include "measure/group_sequential.h"

#include <algorithm>
#include <cmath>

#include "measure/distributions.h"

namespace etalon::measure {
namespace {

constexpr std::size_t kMaxLooks = 50;
constexpr std::size_t kGridPoints =
    241;                         // odd, for Simpson's rule; gives four digits of the boundaries at five looks
constexpr double kLargestZ = 8;  // p of 1e-15: no look stops there

double density(double x, double deviation) {
  return std::exp(-x * x / (2 * deviation * deviation)) / (deviation * 2.5066282746310002);
}

// The part of the Brownian motion that has not stopped so far (Armitage, McPherson and Rowe 1969): weights
// are density times Simpson's weight at evenly spaced values.
class Continuing {
 public:
  // P(|value| >= bound at the next look), for those that have not stopped.
  double stops(double bound, double deviation) const {
    if (values_.empty()) return 2 * normal_cdf(-bound / deviation);
    double sum = 0;
    for (std::size_t i = 0; i < values_.size(); ++i) {
      sum += weights_[i] *
             (normal_cdf((-bound - values_[i]) / deviation) + normal_cdf((values_[i] - bound) / deviation));
    }
    return sum;
  }

  void advance(double bound, double deviation) {
    std::vector<double> values(kGridPoints);
    std::vector<double> weights(kGridPoints);
    const double step = 2 * bound / static_cast<double>(kGridPoints - 1);
    for (std::size_t i = 0; i < kGridPoints; ++i) {
      values[i] = -bound + step * static_cast<double>(i);
      const bool edge = i == 0 || i + 1 == kGridPoints;
      weights[i] = step / 3 * (edge ? 1 : i % 2 == 1 ? 4 : 2) * density_at(values[i], deviation);
    }
    values_ = std::move(values);
    weights_ = std::move(weights);
  }

 private:
  double density_at(double value, double deviation) const {
    if (values_.empty()) return density(value, deviation);
    double sum = 0;
    for (std::size_t i = 0; i < values_.size(); ++i)
      sum += weights_[i] * density(value - values_[i], deviation);
    return sum;
  }

  std::vector<double> values_;
  std::vector<double> weights_;
};

}  // namespace

std::string_view spending_name(Spending spending) {
  return spending == Spending::kPocock ? "pocock" : "obrien-fleming";
}

double alpha_spent(double fraction, double alpha, Spending spending) {
  if (fraction <= 0) return 0;
  if (fraction >= 1) return alpha;
  if (spending == Spending::kPocock) return alpha * std::log(1 + (std::exp(1.0) - 1) * fraction);
  return 4 * normal_cdf(normal_quantile(alpha / 4) / std::sqrt(fraction));
}

std::vector<double> nominal_levels(std::span<const double> fractions, double alpha, Spending spending) {
  std::vector<double> levels;
  Continuing continuing;
  double spent = 0;
  double seen = 0;
  for (const double fraction : fractions.first(std::min(fractions.size(), kMaxLooks))) {
    const double allowed = alpha_spent(fraction, alpha, spending) - spent;
    const double deviation = std::sqrt(std::max(fraction - seen, 1e-9));
    double low = 0;
    double high = kLargestZ;
    for (int step = 0; step < 60; ++step) {
      const double middle = (low + high) / 2;
      (continuing.stops(middle * std::sqrt(fraction), deviation) > allowed ? low : high) = middle;
    }
    levels.push_back(2 * normal_cdf(-high));
    continuing.advance(high * std::sqrt(fraction), deviation);
    spent += allowed;
    seen = fraction;
  }
  return levels;
}

}  // namespace etalon::measure
