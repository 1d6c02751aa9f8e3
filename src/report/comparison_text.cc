// The sentence that a comparison comes down to.
#include <fmt/core.h>

#include <cmath>

#include "report/text.h"
#include "report/writers.h"

namespace etalon::report {
namespace {

using analysis::Comparison;
using measure::Claim;
using measure::Verdict;

// "1.31x"; near 1 a third place is what matters.
std::string times(double factor) {
  return std::fabs(factor - 1) < 0.1 ? fmt::format("{:.3f}x", factor) : fmt::format("{:.2f}x", factor);
}

std::string number(double factor) {
  return std::fabs(factor - 1) < 0.1 ? fmt::format("{:.3f}", factor) : fmt::format("{:.2f}", factor);
}

std::string basis(const Comparison& comparison, const Verdict& verdict) {
  std::string text = fmt::format("{} launch{}", verdict.launches, verdict.launches == 1 ? "" : "es");
  const double smallest = comparison.control && comparison.control->ran ? comparison.control->smallest_effect
                                                                        : verdict.smallest_effect;
  if (smallest > 0 && std::isfinite(smallest)) {
    text += fmt::format("; effects below {} cannot be seen", percent(smallest));
  }
  if (!verdict.interleaved) text += "; not measured together, so only large differences are believed";
  if (verdict.control_alarmed) text += "; identical code looked different in this session, take care";
  return text;
}

std::string interval(double low, double high, double confidence) {
  return fmt::format("{:.0f} % interval {} to {}", 100 * confidence, number(low), number(high));
}

std::string claim(const std::string& candidate, const std::string& baseline, const Verdict& verdict) {
  const bool bounded = verdict.interval.low > 0 && std::isfinite(verdict.interval.high);
  switch (verdict.claim) {
    case Claim::kFaster:
      return fmt::format("{} is {} faster than {} ({})", candidate, times(1 / verdict.ratio), baseline,
                         interval(1 / verdict.interval.high, 1 / verdict.interval.low, verdict.confidence));
    case Claim::kSlower:
      return fmt::format("{} is {} slower than {} ({})", candidate, times(verdict.ratio), baseline,
                         interval(verdict.interval.low, verdict.interval.high, verdict.confidence));
    case Claim::kEquivalent:
      return fmt::format("{} and {} are equally fast, within {} ({} of its time)", candidate, baseline,
                         percent(verdict.equivalence_margin),
                         interval(verdict.interval.low, verdict.interval.high, verdict.confidence));
    case Claim::kInconclusive:
      break;
  }
  if (!bounded)
    return fmt::format("{} against {}: inconclusive, too few launches to tell", candidate, baseline);
  std::string text = fmt::format("{} against {}: inconclusive, it takes {} of the time ({})", candidate,
                                 baseline, number(verdict.ratio),
                                 interval(verdict.interval.low, verdict.interval.high, verdict.confidence));
  if (verdict.launches_needed > verdict.launches) {
    text += fmt::format(", about {} launches would settle it", verdict.launches_needed);
  }
  return text;
}

}  // namespace

std::string verdict_sentence(const Comparison& comparison) {
  const std::string baseline = shown(comparison.baseline, 60);
  const std::string candidate = shown(comparison.candidate, 60);
  if (comparison.verdict) {
    return fmt::format("{}, {}", claim(candidate, baseline, *comparison.verdict),
                       basis(comparison, *comparison.verdict));
  }
  if (comparison.ratio <= 0) return fmt::format("{} against {}: no times to compare", candidate, baseline);
  return fmt::format("{} takes {} of the time of {}; without launches to judge by there is no verdict",
                     candidate, number(comparison.ratio), baseline);
}

}  // namespace etalon::report
