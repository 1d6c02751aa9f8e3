#include "analysis/rules/narrow_dtype.h"

#include <algorithm>
#include <vector>

#include "analysis/profile_dtype.h"

namespace etalon::analysis {
namespace {

constexpr std::size_t kMostOperators = 5;

// A comparison, seen from the narrow side.
struct Pair {
  const Comparison& comparison;
  bool narrow_is_candidate = true;

  double narrow_ms() const { return narrow_is_candidate ? comparison.candidate_ms : comparison.baseline_ms; }
  double wide_ms() const { return narrow_is_candidate ? comparison.baseline_ms : comparison.candidate_ms; }
  const std::string& narrow() const {
    return narrow_is_candidate ? comparison.candidate : comparison.baseline;
  }
  const std::string& wide() const { return narrow_is_candidate ? comparison.baseline : comparison.candidate; }
  const std::string& narrow_dtype() const {
    return narrow_is_candidate ? comparison.candidate_dtype : comparison.baseline_dtype;
  }
  const std::string& wide_dtype() const {
    return narrow_is_candidate ? comparison.baseline_dtype : comparison.candidate_dtype;
  }
  double slower_by(double delta_ms) const { return narrow_is_candidate ? delta_ms : -delta_ms; }
  double ratio() const { return narrow_is_candidate ? comparison.ratio : 1 / comparison.ratio; }
};

bool is_slower(const Pair& pair, const Threshold& min_slower) {
  if (pair.comparison.ratio <= 0) return false;
  if (!pair.comparison.verdict) return pair.ratio() > 1 + min_slower.value;
  const measure::Claim slower = pair.narrow_is_candidate ? measure::Claim::kSlower : measure::Claim::kFaster;
  return pair.comparison.verdict->claim == slower;
}

void add_operators(const Pair& pair, Finding& finding) {
  std::vector<const OperatorMatch*> matches;
  for (const OperatorMatch& match : pair.comparison.operators) {
    if (pair.slower_by(match.delta_ms) > 0) matches.push_back(&match);
  }
  std::stable_sort(matches.begin(), matches.end(), [&](const OperatorMatch* a, const OperatorMatch* b) {
    return pair.slower_by(a->delta_ms) > pair.slower_by(b->delta_ms);
  });
  matches.resize(std::min(matches.size(), kMostOperators));
  if (!matches.empty()) finding.subject = matches.front()->label;
  for (const OperatorMatch* match : matches) {
    finding.evidence.push_back({match->label + " slower by", pair.slower_by(match->delta_ms), "ms"});
  }
}

void add_conversions(const Pair& pair, Finding& finding) {
  for (const WaterfallStep& step : pair.comparison.waterfall) {
    if (step.kind != StepKind::kConversion) continue;
    finding.evidence.push_back({"conversions add", pair.slower_by(step.delta_ms), "ms"});
  }
}

// The interval of the saving from that of the ratio, where a verdict gives one.
void promise_difference(const Pair& pair, Finding& finding) {
  double low = 0;
  double high = pair.narrow_ms() - pair.wide_ms();
  if (pair.comparison.verdict) {
    const measure::Interval ratio = pair.comparison.verdict->interval;
    if (ratio.low > 0 && ratio.high < 1e6) {
      const double first = pair.narrow_is_candidate ? 1 - 1 / ratio.low : 1 - ratio.low;
      const double second = pair.narrow_is_candidate ? 1 - 1 / ratio.high : 1 - ratio.high;
      low = pair.narrow_ms() * std::min(first, second);
      high = pair.narrow_ms() * std::max(first, second);
    }
  }
  Profile whole;
  whole.accounting.end_to_end_ms = pair.narrow_ms();
  promise(low, high, whole, finding);
}

}  // namespace

void check_narrow_dtype(const Rule& rule, const Threshold& min_slower, std::string_view narrow,
                        std::initializer_list<std::string_view> wider, const Comparison& comparison,
                        Findings& findings) {
  if (comparison.baseline_dtype.empty() || comparison.candidate_dtype.empty()) {
    findings.not_evaluated.push_back(
        {rule.doc.id, comparison.label, "the dtype of both runs: program files or labels"});
    return;
  }
  const Pair pair{comparison, comparison.candidate_dtype == narrow};
  if (pair.narrow_dtype() != narrow ||
      std::find(wider.begin(), wider.end(), pair.wide_dtype()) == wider.end())
    return;
  if (!is_slower(pair, min_slower)) return;
  Profile run;
  run.name = pair.narrow();
  Finding finding = make_finding(rule, Severity::kWarning, run, comparison.label);
  finding.evidence = {{pair.narrow(), pair.narrow_ms(), "ms"},
                      {pair.wide(), pair.wide_ms(), "ms"},
                      {"ratio", pair.ratio(), "ratio"}};
  add_operators(pair, finding);
  add_conversions(pair, finding);
  promise_difference(pair, finding);
  const std::string option = pair.wide_dtype() == "float16" ? "fp16" : "fp32";
  finding.remedy = {RemedyKind::kDtype, option, "etalon export MODEL --dtype " + option};
  findings.found.push_back(std::move(finding));
}

void need_comparison(const Rule& rule, std::string_view narrow, const Report& report, Findings& findings) {
  const bool compared =
      std::any_of(report.comparisons.begin(), report.comparisons.end(), [&](const Comparison& comparison) {
        return (comparison.baseline_dtype == narrow) != (comparison.candidate_dtype == narrow);
      });
  if (compared) return;
  for (const Profile& profile : report.profiles) {
    if (dtype_of(profile) == narrow)
      findings.need(rule.doc, profile, "a run of the same model in a wider dtype");
  }
}

}  // namespace etalon::analysis
