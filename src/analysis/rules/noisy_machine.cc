// The machine was too busy for its numbers to be trusted.
#include <algorithm>

#include "analysis/rules/row_groups.h"

namespace etalon::analysis {
namespace {

constexpr Threshold kMaxVariation = {
    "standard deviation of the runs over their mean", 0.15, "share",
    "half more than the tenth by which the sentinel of a quiet machine may deviate"};
constexpr Threshold kMaxDisturbed = {"blocks during which the sentinel deviated", 0.20, "share",
                                     "one in five leaves too few that were not"};
constexpr Threshold kMaxFloor = {"difference between identical arms", measure::kLargestEquivalence, "share",
                                 "above this no claim of \"equivalent\" is possible"};
constexpr const Threshold* kThresholds[] = {&kMaxVariation, &kMaxDisturbed, &kMaxFloor};

void check_verdict(const Comparison& comparison, Findings& findings);
void check_runs(const Report& report, Findings& findings);

}  // namespace

extern const Rule kNoisyMachine;
const Rule kNoisyMachine = {
    .doc = {.id = "noisy-machine",
            .detects = "other work on the machine disturbed the measurement",
            .why =
                "medians of disturbed runs differ without a cause, and small real differences cannot be seen",
            .remedy = "stop other work, pin the threads, measure with more launches, and believe intervals "
                      "instead of medians",
            .confirm = "measure again when the machine is idle: the spread must shrink and the verdict stay",
            .wrong_when = "the model itself varies, because its work depends on the input",
            .needs = "several runs of each experiment, or a verdict"},
    .check_comparison = check_verdict,
    .check_report = check_runs,
    .thresholds = kThresholds};

namespace {

void check_verdict(const Comparison& comparison, Findings& findings) {
  if (!comparison.verdict) {
    findings.not_evaluated.push_back(
        {kNoisyMachine.doc.id, comparison.label, "an interleaved measurement with a verdict"});
    return;
  }
  const measure::Verdict& verdict = *comparison.verdict;
  const double tried = static_cast<double>(verdict.blocks + verdict.voided);
  const double touched = static_cast<double>(verdict.disturbed + verdict.voided);
  const bool floor =
      comparison.control && comparison.control->ran && comparison.control->noise_floor > kMaxFloor.value;
  const bool disturbed = tried > 0 && touched > kMaxDisturbed.value * tried;
  if (!disturbed && !verdict.control_alarmed && !floor) return;
  Profile compared;
  compared.name = comparison.label;
  Finding finding =
      make_finding(kNoisyMachine, Severity::kWarning, compared,
                   verdict.control_alarmed ? "identical arms looked different" : "disturbed blocks");
  finding.evidence = {{"blocks", static_cast<double>(verdict.blocks), "count"},
                      {"disturbed", static_cast<double>(verdict.disturbed), "count"},
                      {"repeated", static_cast<double>(verdict.voided), "count"},
                      {"smallest difference that can be seen", verdict.smallest_effect, "share"}};
  if (comparison.control && comparison.control->ran) {
    finding.evidence.push_back(
        {"identical arms differed by up to", comparison.control->noise_floor, "share"});
  }
  finding.remedy = {RemedyKind::kNone, "", "etalon profile MODEL --fresh"};
  findings.found.push_back(std::move(finding));
}

void check_runs(const Report& report, Findings& findings) {
  const RunResult* worst = nullptr;
  double noisy = 0;
  double known = 0;
  for (const RunResult& result : report.manifest.results) {
    if (!result.cv_percent) continue;
    ++known;
    if (*result.cv_percent <= 100 * kMaxVariation.value) continue;
    ++noisy;
    if (worst == nullptr || *result.cv_percent > *worst->cv_percent) worst = &result;
  }
  if (known == 0) {
    for (const Profile& profile : report.profiles) {
      findings.need(kNoisyMachine.doc, profile, "the times of several runs, from the manifest");
    }
  }
  if (worst == nullptr) return;
  Profile run;
  run.name = run_name(worst->experiment, worst->threads);
  Finding finding = make_finding(kNoisyMachine, Severity::kWarning, run, "spread of the runs");
  finding.evidence = {{"standard deviation over mean", *worst->cv_percent / 100, "share"},
                      {"experiments that vary as much", noisy, "count"},
                      {"experiments", known, "count"}};
  if (worst->median_ms) finding.evidence.push_back({"median", *worst->median_ms, "ms"});
  if (worst->p95_ms) finding.evidence.push_back({"p95", *worst->p95_ms, "ms"});
  finding.remedy = {RemedyKind::kNone, "", "etalon profile MODEL --fresh"};
  findings.found.push_back(std::move(finding));
}

}  // namespace
}  // namespace etalon::analysis
