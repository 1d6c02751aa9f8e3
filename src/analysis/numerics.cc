#include "analysis/numerics.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace etalon::analysis {
namespace {

struct Sums {
  double baseline = 0;  // of squares
  double candidate = 0;
  double both = 0;        // of products
  double difference = 0;  // of squares
  double peak = 0;        // largest magnitude of the baseline
  double max_abs = 0;
  bool finite = true;  // false: a value is not finite, and not so on both sides alike
};

bool same(float a, float b) { return a == b || (std::isnan(a) && std::isnan(b)); }

Sums sums_of(std::span<const float> baseline, std::span<const float> candidate) {
  Sums sums;
  for (std::size_t i = 0; i < baseline.size(); ++i) {
    if (!std::isfinite(baseline[i]) || !std::isfinite(candidate[i])) {
      sums.finite = sums.finite && same(baseline[i], candidate[i]);
      continue;
    }
    const double a = baseline[i];
    const double b = candidate[i];
    sums.baseline += a * a;
    sums.candidate += b * b;
    sums.both += a * b;
    sums.difference += (b - a) * (b - a);
    sums.peak = std::max(sums.peak, std::fabs(a));
    sums.max_abs = std::max(sums.max_abs, std::fabs(b - a));
  }
  return sums;
}

double cosine_of(const Sums& sums) {
  if (sums.difference == 0) return 1;
  const double lengths = std::sqrt(sums.baseline) * std::sqrt(sums.candidate);
  return lengths > 0 ? std::clamp(sums.both / lengths, -1.0, 1.0) : 0;
}

// NaN is never the best.
std::size_t best_of(std::span<const float> scores) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < scores.size(); ++i) {
    if (scores[i] > scores[best] || std::isnan(scores[best])) best = i;
  }
  return best;
}

bool same_best(std::span<const float> baseline, std::span<const float> candidate, std::size_t row) {
  for (std::size_t first = 0; first + row <= baseline.size(); first += row) {
    if (best_of(baseline.subspan(first, row)) != best_of(candidate.subspan(first, row))) return false;
  }
  return true;
}

}  // namespace

Result<OutputDifference> compare_outputs(std::string_view output, std::span<const float> baseline,
                                         std::span<const float> candidate, std::size_t row) {
  if (baseline.size() != candidate.size()) {
    return invalid_input(
        fmt::format("output {}: {} values against {}", output, candidate.size(), baseline.size()));
  }
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const Sums sums = sums_of(baseline, candidate);
  OutputDifference difference;
  difference.output = output;
  difference.values = baseline.size();
  if (row > 1) difference.same_top1 = same_best(baseline, candidate, row);
  if (!sums.finite) {
    difference.max_abs = kInfinity;
    difference.relative_to_peak = kInfinity;
    difference.snr_db = -kInfinity;
    difference.cosine = 0;
    return difference;
  }
  difference.max_abs = sums.max_abs;
  if (sums.max_abs > 0) difference.relative_to_peak = sums.peak > 0 ? sums.max_abs / sums.peak : kInfinity;
  difference.snr_db = sums.difference > 0 ? 10 * std::log10(sums.baseline / sums.difference) : kInfinity;
  difference.cosine = cosine_of(sums);
  return difference;
}

std::size_t class_row(std::span<const std::size_t> sizes) {
  if (sizes.empty() || sizes.size() > 2 || sizes.back() < 2) return 0;
  return sizes.back();
}

}  // namespace etalon::analysis
