#include "analysis/numerics.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace etalon::analysis {
namespace {

// Two values that torch.testing would call equal although their difference is no number.
bool same_special(double a, double b) { return (std::isnan(a) && std::isnan(b)) || (std::isinf(a) && a == b); }

// Which value is the largest, as argmax does: the first of several, NaN above all.
std::size_t top1(std::span<const float> values) {
  std::size_t best = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (std::isnan(values[i])) return i;
    if (values[i] > values[best]) best = i;
  }
  return best;
}

}  // namespace

Result<OutputDifference> compare_outputs(std::string output, std::span<const float> baseline,
                                         std::span<const float> candidate) {
  if (baseline.size() != candidate.size()) {
    return invalid_input(fmt::format("output {} has {} values in one model and {} in the other", output, baseline.size(),
                                     candidate.size()));
  }
  OutputDifference out;
  out.output = std::move(output);
  out.values = baseline.size();
  double signal = 0, error = 0, other = 0, product = 0, peak = 0;
  bool broken = false;
  for (std::size_t i = 0; i < baseline.size(); ++i) {
    const double a = baseline[i], b = candidate[i];
    if (!std::isfinite(a) || !std::isfinite(b)) {
      broken = broken || !same_special(a, b);
      continue;
    }
    const double difference = b - a;
    out.max_abs = std::max(out.max_abs, std::fabs(difference));
    peak = std::max(peak, std::fabs(a));
    signal += a * a;
    error += difference * difference;
    other += b * b;
    product += a * b;
  }
  out.relative_to_peak = out.max_abs == 0 ? 0 : (peak > 0 ? out.max_abs / peak : HUGE_VAL);
  out.snr_db = error == 0 ? HUGE_VAL : (signal > 0 ? 10 * std::log10(signal / error) : -HUGE_VAL);
  out.cosine = signal > 0 && other > 0 ? product / std::sqrt(signal * other) : (signal == other ? 1 : 0);
  if (broken) {
    out.max_abs = out.relative_to_peak = HUGE_VAL;
    out.snr_db = -HUGE_VAL;
    out.cosine = 0;
  }
  if (baseline.size() > 1) out.same_top1 = top1(baseline) == top1(candidate);
  return out;
}

}  // namespace etalon::analysis
