#include "cli/advise/trial.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "analysis/numerics.h"
#include "base/file.h"
#include "cli/demo_model.h"
#include "cli/model_outputs.h"
#include "measure/statistics.h"

namespace etalon::cli {
namespace {

using analysis::AdviceOutcome;
using analysis::RemedyKind;
using analysis::VerifiedAdvice;

OutputsRequest outputs_request(const Variant& variant, const std::vector<std::string>& inputs) {
  OutputsRequest request;
  request.model = variant.program;
  request.engine = variant.engine;
  request.isa = variant.isa;
  request.math = variant.math;
  request.threads = static_cast<int>(variant.threads);
  request.inputs = inputs;
  return request;
}

struct Difference {
  double relative_to_peak = 0;
  double snr_db = HUGE_VAL;
};

// Over all outputs together; the worst output decides.
Result<Difference> difference_between(const Variant& before, const Variant& after, const std::vector<std::string>& inputs) {
  ETALON_TRY(const auto expected, model_outputs(outputs_request(before, inputs)));
  ETALON_TRY(const auto found, model_outputs(outputs_request(after, inputs)));
  if (expected.size() != found.size()) {
    return unsupported(fmt::format("it has {} outputs, had {}", found.size(), expected.size()));
  }
  Difference worst;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    ETALON_TRY(const analysis::OutputDifference difference, analysis::compare_outputs(fmt::format("{}", i), expected[i], found[i]));
    worst.relative_to_peak = std::max(worst.relative_to_peak, difference.relative_to_peak);
    worst.snr_db = std::min(worst.snr_db, difference.snr_db);
  }
  return worst;
}

// Loading, not running, is what packing ahead changes.
bool is_about_loading(const analysis::Remedy& remedy) { return remedy.kind == RemedyKind::kPrepack; }

std::vector<double> load_times(const measure::ArmSamples& arm) {
  std::vector<double> times;
  for (const measure::LaunchRecord& launch : arm.launches) {
    const auto found = launch.figures.find("load_ms");
    if (found != launch.figures.end() && found->second > 0) times.push_back(found->second);
  }
  return times;
}

// Loads happen once a launch, in turns.
Result<measure::Verdict> judge_loads(const measure::Recording& recording) {
  const std::vector<double> before = load_times(recording.arms[0]);
  const std::vector<double> after = load_times(recording.arms[1]);
  measure::PairedRatios ratios;
  for (std::size_t i = 0; i < std::min(before.size(), after.size()); ++i) {
    ratios.launches.push_back({std::log(after[i] / before[i])});
  }
  if (ratios.launches.empty()) return unsupported("the runner does not tell how long loading takes");
  return measure::judge(ratios);
}

Status measure_it(const Variant& before, const Variant& after, const TrialOptions& options, VerifiedAdvice& advice) {
  ArmsOptions arms;
  arms.plan = plan_for_seconds(options.seconds);
  arms.samples_path = options.folder + "/samples.json";
  arms.progress = options.progress;
  ETALON_TRY(const measure::SessionOutcome outcome,
             measure_arms({arm_of(before, "before", options.inputs), arm_of(after, "after", options.inputs)}, arms));
  const measure::Recording& recording = outcome.recording;
  if (is_about_loading(advice.remedy)) {
    ETALON_TRY(advice.verdict, judge_loads(recording));
    advice.baseline_ms = measure::median(load_times(recording.arms[0]));
    advice.candidate_ms = measure::median(load_times(recording.arms[1]));
    return {};
  }
  advice.verdict = outcome.judgement.verdicts.front();
  advice.baseline_ms = measure::median(recording.arms[0].runs_ms());
  advice.candidate_ms = measure::median(recording.arms[1].runs_ms());
  return {};
}

Status check_accuracy(const Variant& before, const Variant& after, const TrialOptions& options, VerifiedAdvice& advice) {
  ETALON_TRY(const Difference difference, difference_between(before, after, options.inputs));
  advice.relative_to_peak = difference.relative_to_peak;
  if (std::isfinite(difference.snr_db)) advice.snr_db = difference.snr_db;
  if (options.zoo_model.empty()) return {};
  ETALON_TRY(const ZooEntry entry, find_zoo_entry(options.zoo_model));
  if (!entry.test_accuracy) return {};
  ETALON_TRY(const OutputCheck had, check_outputs(entry, before.program));
  ETALON_TRY(const OutputCheck has, check_outputs(entry, after.program));
  advice.accuracy_before = had.accuracy;
  advice.accuracy_after = has.accuracy;
  return {};
}

// Why the numbers are not good enough; empty when they are.
std::string accuracy_objection(const VerifiedAdvice& advice, const AccuracyLimits& limits) {
  if (advice.accuracy_before && advice.accuracy_after && *advice.accuracy_before - *advice.accuracy_after > limits.accuracy_drop) {
    return fmt::format("accuracy falls from {:.1f} % to {:.1f} %, more than {:.1f} points", *advice.accuracy_before * 100,
                       *advice.accuracy_after * 100, limits.accuracy_drop * 100);
  }
  if (changes_numbers(advice.remedy)) {
    if (advice.snr_db && *advice.snr_db < limits.snr_db && !advice.accuracy_after) {
      return fmt::format("its outputs have {:.1f} dB of signal over error, want {:.0f}", *advice.snr_db, limits.snr_db);
    }
    return {};
  }
  // Not <=: a difference that is no number must not pass.
  if (!(advice.relative_to_peak.value_or(HUGE_VAL) <= limits.relative_to_peak)) {
    return fmt::format("its outputs differ by {:.1e} of the largest, want at most {:.0e}", advice.relative_to_peak.value_or(HUGE_VAL),
                       limits.relative_to_peak);
  }
  return {};
}

void decide(const AccuracyLimits& limits, VerifiedAdvice& advice) {
  advice.outcome = AdviceOutcome::kRejected;
  advice.reason = accuracy_objection(advice, limits);
  if (!advice.reason.empty()) return;
  switch (advice.verdict->claim) {
    case measure::Claim::kFaster: advice.outcome = AdviceOutcome::kKept; return;
    case measure::Claim::kSlower: advice.reason = "it is slower"; return;
    case measure::Claim::kEquivalent: advice.reason = "it makes no difference that matters"; return;
    case measure::Claim::kInconclusive: advice.reason = "no difference could be shown"; return;
  }
}

}  // namespace

std::vector<Candidate> candidates_of(const analysis::Findings& findings) {
  std::vector<Candidate> candidates;
  for (const analysis::Finding& finding : findings.found) {
    if (finding.remedy.kind == RemedyKind::kNone) continue;
    Candidate candidate{std::string(finding.rule->id), finding.subject, finding.remedy, finding.saving_low_ms, finding.saving_high_ms};
    const auto same = std::find_if(candidates.begin(), candidates.end(), [&](const Candidate& known) {
      return known.remedy.kind == candidate.remedy.kind && known.remedy.value == candidate.remedy.value;
    });
    if (same == candidates.end()) {
      candidates.push_back(std::move(candidate));
    } else if (candidate.saving_high_ms.value_or(0) > same->saving_high_ms.value_or(0)) {
      *same = std::move(candidate);
    }
  }
  std::stable_sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    return a.saving_high_ms.value_or(0) > b.saving_high_ms.value_or(0);
  });
  return candidates;
}

Result<Trial> try_candidate(const Candidate& candidate, const Variant& current, const TrialOptions& options) {
  Trial trial;
  VerifiedAdvice& advice = trial.advice;
  advice.rule = candidate.rule;
  advice.subject = candidate.subject;
  advice.remedy = candidate.remedy;
  advice.predicted_low_ms = candidate.saving_low_ms;
  advice.predicted_high_ms = candidate.saving_high_ms;
  ETALON_CHECKED(make_directories(options.folder));
  auto variant = apply(candidate.remedy, current, options.folder + "/artifacts");
  if (!variant.ok()) {
    advice.reason = variant.error().message();
    return trial;
  }
  trial.variant = std::move(*variant);
  Status status = check_accuracy(current, trial.variant, options, advice);
  if (status.ok()) status = measure_it(current, trial.variant, options, advice);
  if (!status.ok()) {
    advice.outcome = AdviceOutcome::kRejected;
    advice.reason = status.error().message();
    return trial;
  }
  decide(options.limits, advice);
  return trial;
}

}  // namespace etalon::cli
