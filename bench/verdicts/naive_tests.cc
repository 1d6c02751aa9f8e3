#include "naive_tests.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "measure/distributions.h"
#include "measure/signed_rank.h"

namespace etalon::bench {
namespace {

constexpr std::uint32_t kWarmup = 10;

Result<std::vector<double>> timed_runs(const measure::LaunchWorker& launch, std::size_t arm,
                                       std::uint32_t runs) {
  ETALON_TRY(const std::unique_ptr<measure::Worker> worker, launch(arm));
  ETALON_CHECKED(worker->run(kWarmup).ok() ? Status() : run_failed("the warm-up failed"));
  return worker->run(runs);
}

}  // namespace

double mann_whitney_p(std::span<const double> a, std::span<const double> b) {
  std::vector<std::pair<double, bool>> all;
  for (const double value : a) all.emplace_back(value, true);
  for (const double value : b) all.emplace_back(value, false);
  std::sort(all.begin(), all.end());
  double rank_sum = 0;
  double ties = 0;
  for (std::size_t first = 0; first < all.size();) {
    std::size_t last = first;
    while (last + 1 < all.size() && all[last + 1].first == all[first].first) ++last;
    const auto count = static_cast<double>(last - first + 1);
    ties += count * count * count - count;
    for (std::size_t i = first; i <= last; ++i) {
      if (all[i].second) rank_sum += static_cast<double>(first + last + 2) / 2;
    }
    first = last + 1;
  }
  const auto m = static_cast<double>(a.size());
  const auto n = static_cast<double>(b.size());
  const double total = m + n;
  const double variance = m * n / 12 * (total + 1 - ties / (total * (total - 1)));
  if (!(variance > 0)) return 1;
  const double distance = std::fabs(rank_sum - m * (total + 1) / 2);
  return std::min(1.0, 2 * measure::normal_cdf(-std::max(0.0, distance - 0.5) / std::sqrt(variance)));
}

Result<double> sequential_p(const measure::LaunchWorker& launch, std::size_t candidate, std::uint32_t runs) {
  ETALON_TRY(const std::vector<double> first, timed_runs(launch, 0, runs));
  ETALON_TRY(const std::vector<double> second, timed_runs(launch, candidate, runs));
  return mann_whitney_p(first, second);
}

double block_p(const measure::ArmSamples& baseline, const measure::ArmSamples& candidate) {
  const auto ratios = measure::pair_arms(baseline, candidate);
  std::vector<double> all;
  if (ratios.ok()) {
    for (const std::vector<double>& launch : ratios->launches)
      all.insert(all.end(), launch.begin(), launch.end());
  }
  return measure::signed_rank_test(all).p_value;
}

}  // namespace etalon::bench
