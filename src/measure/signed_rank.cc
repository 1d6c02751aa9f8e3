#include "measure/signed_rank.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "measure/distributions.h"
#include "measure/statistics.h"

namespace etalon::measure {
namespace {

constexpr std::size_t kMaxExact = 200;
constexpr std::size_t kMaxForPairs = 5000;

struct Ranks {
  std::vector<std::uint32_t> doubled;  // mid-ranks times two, so that ties stay whole numbers
  std::uint64_t positive = 0;          // sum of the doubled ranks of positive differences
  double tie_correction = 0;           // sum of t^3 - t
};

Ranks rank_differences(std::span<const double> differences) {
  std::vector<double> kept;
  for (const double value : differences) {
    if (value != 0 && std::isfinite(value)) kept.push_back(value);
  }
  std::sort(kept.begin(), kept.end(), [](double a, double b) { return std::fabs(a) < std::fabs(b); });
  Ranks ranks;
  ranks.doubled.resize(kept.size());
  for (std::size_t first = 0; first < kept.size();) {
    std::size_t last = first;
    while (last + 1 < kept.size() && std::fabs(kept[last + 1]) == std::fabs(kept[first])) ++last;
    const auto ties = static_cast<double>(last - first + 1);
    ranks.tie_correction += ties * ties * ties - ties;
    for (std::size_t i = first; i <= last; ++i) {
      ranks.doubled[i] = static_cast<std::uint32_t>(first + last + 2);
      if (kept[i] > 0) ranks.positive += ranks.doubled[i];
    }
    first = last + 1;
  }
  return ranks;
}

// Probability of each sum of doubled ranks when every sign is a fair coin.
std::vector<double> sum_distribution(std::span<const std::uint32_t> doubled) {
  std::vector<double> probability(1, 1.0);
  for (const std::uint32_t rank : doubled) {
    std::vector<double> next(probability.size() + rank, 0.0);
    for (std::size_t sum = 0; sum < probability.size(); ++sum) {
      next[sum] += probability[sum] / 2;
      next[sum + rank] += probability[sum] / 2;
    }
    probability = std::move(next);
  }
  return probability;
}

double exact_p(const Ranks& ranks) {
  const std::vector<double> probability = sum_distribution(ranks.doubled);
  const std::uint64_t total = probability.size() - 1;
  const std::uint64_t tail = std::min<std::uint64_t>(ranks.positive, total - ranks.positive);
  double below = 0;
  for (std::uint64_t sum = 0; sum <= tail; ++sum) below += probability[sum];
  return std::min(1.0, 2 * below);
}

double approximate_p(const Ranks& ranks) {
  const auto n = static_cast<double>(ranks.doubled.size());
  const double mean = n * (n + 1) / 4;
  const double variance = n * (n + 1) * (2 * n + 1) / 24 - ranks.tie_correction / 48;
  if (variance <= 0) return 1;
  const double distance = std::fabs(static_cast<double>(ranks.positive) / 2 - mean);
  return std::min(1.0, 2 * normal_cdf(-std::max(0.0, distance - 0.5) / std::sqrt(variance)));
}

std::vector<double> thinned(std::span<const double> values) {
  if (values.size() <= kMaxForPairs) return {values.begin(), values.end()};
  std::vector<double> kept(kMaxForPairs);
  for (std::size_t i = 0; i < kept.size(); ++i) kept[i] = values[i * values.size() / kept.size()];
  return kept;
}

std::vector<double> pair_averages(std::span<const double> values) {
  const std::vector<double> kept = thinned(values);
  std::vector<double> averages;
  averages.reserve(kept.size() * (kept.size() + 1) / 2);
  for (std::size_t i = 0; i < kept.size(); ++i) {
    for (std::size_t j = i; j < kept.size(); ++j) averages.push_back(kept[i] + (kept[j] - kept[i]) / 2);
  }
  return averages;
}

// How many averages lie outside on each side: the largest k with P(W < k) <= tail.
std::size_t averages_outside(std::size_t count, double tail) {
  if (count > kMaxExact) {
    const auto n = static_cast<double>(count);
    const double deviation = std::sqrt(n * (n + 1) * (2 * n + 1) / 24);
    return static_cast<std::size_t>(
        std::max(0.0, std::floor(n * (n + 1) / 4 + normal_quantile(tail) * deviation)));
  }
  std::vector<std::uint32_t> ranks(count);
  for (std::size_t i = 0; i < count; ++i) ranks[i] = static_cast<std::uint32_t>(i + 1);
  const std::vector<double> probability = sum_distribution(ranks);
  double below = 0;
  std::size_t outside = 0;
  while (outside < probability.size() && below + probability[outside] <= tail * (1 + 1e-12)) {
    below += probability[outside++];
  }
  return outside;
}

}  // namespace

SignedRank signed_rank_test(std::span<const double> differences) {
  const Ranks ranks = rank_differences(differences);
  SignedRank result;
  result.count = ranks.doubled.size();
  result.positive_ranks = static_cast<double>(ranks.positive) / 2;
  result.exact = result.count <= kMaxExact;
  if (result.count > 0) result.p_value = result.exact ? exact_p(ranks) : approximate_p(ranks);
  return result;
}

double hodges_lehmann(std::span<const double> values) {
  std::vector<double> averages = pair_averages(values);
  return median_in_place(averages);
}

Interval signed_rank_interval(std::span<const double> values, double confidence) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const std::size_t count = std::min(values.size(), kMaxForPairs);
  const std::size_t outside = averages_outside(count, (1 - confidence) / 2);
  std::vector<double> averages = pair_averages(values);
  if (outside == 0 || 2 * outside > averages.size()) return {-kInfinity, kInfinity};
  // The k-th smallest and the k-th largest average, where the sum of ranks is below k with at most the tail.
  const auto low = averages.begin() + static_cast<std::ptrdiff_t>(outside - 1);
  const auto high = averages.end() - static_cast<std::ptrdiff_t>(outside);
  std::nth_element(averages.begin(), low, averages.end());
  Interval interval;
  interval.low = *low;
  std::nth_element(averages.begin(), high, averages.end());
  interval.high = *high;
  return interval;
}

std::size_t fewest_for_signed_rank(double alpha) {
  std::size_t count = 1;
  for (double smallest = 1; smallest > alpha && count < 64; smallest /= 2) ++count;
  return count;
}

}  // namespace etalon::measure
