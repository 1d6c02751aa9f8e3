#include "measure/steady.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <vector>

#include "measure/statistics.h"

namespace etalon::measure {
namespace {

constexpr std::size_t kShortest = 8;
constexpr double kSmallestShift = 0.01;
constexpr double kChance = 0.01;
constexpr std::size_t kMaxTimes =
    4096;  // ranks are sorted once per cut; longer series are judged by their end

double robust_spread(std::span<const double> values, double centre) {
  std::vector<double> distances(values.size());
  std::transform(values.begin(), values.end(), distances.begin(),
                 [centre](double value) { return std::fabs(value - centre); });
  return 1.4826 * median_in_place(distances);
}

// The first of three times in a row whose median is inside the band.
std::size_t first_inside(std::span<const double> times, double level, double band) {
  for (std::size_t i = 0; i + 3 <= times.size(); ++i) {
    if (std::fabs(median(times.subspan(i, 3)) - level) <= band && std::fabs(times[i] - level) <= 2 * band) {
      return i;
    }
  }
  return times.size();
}

std::vector<double> mid_ranks(std::span<const double> values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  std::vector<double> ranks(values.size());
  for (std::size_t first = 0; first < order.size();) {
    std::size_t last = first;
    while (last + 1 < order.size() && values[order[last + 1]] == values[order[first]]) ++last;
    for (std::size_t i = first; i <= last; ++i) ranks[order[i]] = static_cast<double>(first + last + 2) / 2;
    first = last + 1;
  }
  return ranks;
}

// Where the series shifts most, if that is more than chance.
std::optional<std::size_t> shift_in(std::span<const double> values, double level) {
  const auto count = static_cast<double>(values.size());
  if (values.size() < kShortest) return std::nullopt;
  const std::vector<double> ranks = mid_ranks(values);
  double sum = 0;
  double largest = 0;
  std::size_t cut = 0;
  for (std::size_t i = 0; i + 1 < ranks.size(); ++i) {
    sum += ranks[i];
    const double distance = std::fabs(2 * sum - static_cast<double>(i + 1) * (count + 1));
    if (distance <= largest) continue;
    largest = distance;
    cut = i + 1;
  }
  const double chance = 2 * std::exp(-6 * largest * largest / (count * count * count + count * count));
  const double shift = std::fabs(median(values.first(cut)) - median(values.subspan(cut)));
  if (chance > kChance || shift <= kSmallestShift * level) return std::nullopt;
  return cut;
}

}  // namespace

std::string_view steadiness_name(SteadyKind kind) {
  constexpr std::string_view kNames[] = {"flat", "warm-up", "slowdown", "unsteady", "too short"};
  return kNames[static_cast<std::size_t>(kind)];
}

Steadiness find_steady_state(std::span<const double> times) {
  if (times.size() > kMaxTimes) {
    const std::size_t skipped = times.size() - kMaxTimes;
    Steadiness end = find_steady_state(times.subspan(skipped));
    end.first_steady += skipped;
    return end;
  }
  Steadiness result;
  result.first_steady = times.size();
  if (times.empty()) return result;
  const std::span<const double> half = times.subspan(times.size() / 2);
  result.level = median(half);
  if (times.size() < kShortest) return result;
  const double band = std::max(3 * robust_spread(half, result.level), kSmallestShift * result.level);
  std::size_t first = first_inside(times, result.level, band);
  while (first < times.size()) {
    const auto cut = shift_in(times.subspan(first), result.level);
    if (!cut) break;
    first += *cut;
  }
  if (times.size() - first < std::max(kShortest, times.size() / 4)) {
    result.kind = SteadyKind::kUnsteady;
    return result;
  }
  result.first_steady = first;
  result.level = median(times.subspan(first));
  const bool faster = first > 0 && median(times.first(first)) > result.level;
  result.kind = first == 0 ? SteadyKind::kFlat : faster ? SteadyKind::kWarmUp : SteadyKind::kSlowdown;
  return result;
}

}  // namespace etalon::measure
