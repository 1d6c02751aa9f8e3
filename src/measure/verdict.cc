#include "measure/verdict.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "measure/bootstrap.h"
#include "measure/distributions.h"
#include "measure/power.h"
#include "measure/statistics.h"

namespace etalon::measure {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr std::size_t kFewestLaunches = 3;   // below, their spread cannot be estimated
constexpr std::size_t kFewestForBca = 20;    // bias and skew want that many units
constexpr std::size_t kMostLaunches = 1000;  // nobody waits for more

struct Units {
  Unit unit = Unit::kLaunch;
  std::vector<double> values;
};

Units units_of(const PairedRatios& ratios) {
  Units units;
  if (ratios.launches.size() >= kFewestLaunches) {
    for (const std::vector<double>& launch : ratios.launches) units.values.push_back(median(launch));
    return units;
  }
  units.unit = Unit::kBlock;
  for (const std::vector<double>& launch : ratios.launches) {
    units.values.insert(units.values.end(), launch.begin(), launch.end());
  }
  return units;
}

struct Moments {
  double mean = 0;
  double error = 0;  // standard error of the mean
};

Moments moments_of(std::span<const double> values) {
  const Summary summary = summarize(values);
  return {summary.mean, summary.stdev / std::sqrt(static_cast<double>(values.size()))};
}

Interval student_interval(std::span<const double> values, double confidence) {
  const Moments moments = moments_of(values);
  const double degrees = static_cast<double>(values.size()) - 1;
  const double reach = student_quantile(1 - (1 - confidence) / 2, degrees) * moments.error;
  return {moments.mean - reach, moments.mean + reach};
}

double student_p(std::span<const double> values) {
  if (values.size() < 2) return 1;
  const Moments moments = moments_of(values);
  if (!(moments.error > 0)) return moments.mean == 0 ? 1 : 0;
  return student_two_sided(moments.mean / moments.error, static_cast<double>(values.size()) - 1);
}

// The signed-rank test has only so many outcomes: of few units it cannot reach a small alpha, and Student's
// t, which leans on the shape of the noise, takes its place.
bool ranks_suffice(const Units& units, double alpha) {
  return units.values.size() >= fewest_for_signed_rank(alpha);
}

double p_value_of(const Units& units, double alpha) {
  if (units.values.size() < kFewestLaunches) return 1;
  return ranks_suffice(units, alpha) ? signed_rank_test(units.values).p_value : student_p(units.values);
}

Interval tested_interval(const Units& units, double alpha) {
  return ranks_suffice(units, alpha) ? signed_rank_interval(units.values, 1 - alpha)
                                     : student_interval(units.values, 1 - alpha);
}

BootstrapDistribution drawn_estimates(const Units& units, const JudgeOptions& options) {
  const bool corrected = units.values.size() >= kFewestForBca;
  return {units.values, [](std::span<double> resampled) { return hodges_lehmann(resampled); },
          BootstrapOptions{.kind = corrected ? BootstrapKind::kBca : BootstrapKind::kPercentile,
                           .resamples = options.resamples,
                           .seed = options.seed}};
}

// The bootstrap is too narrow for few units and the intervals of the tests have no such fault, so both must
// agree.
Interval interval_of(const Units& units, const BootstrapDistribution& drawn, double alpha) {
  if (units.values.size() < kFewestLaunches || !(alpha > 0)) return {-kInfinity, kInfinity};
  const Interval tested = tested_interval(units, alpha);
  const Interval resampled = drawn.interval(1 - alpha);
  return {std::min(tested.low, resampled.low), std::max(tested.high, resampled.high)};
}

Interval as_ratio(const Interval& logs) { return {std::exp(logs.low), std::exp(logs.high)}; }

double floor_of(const PairedRatios& ratios, const JudgeOptions& options) {
  return std::max(options.noise_floor, ratios.interleaved ? 0.0 : kSessionMargin);
}

Claim claim_of(const Interval& interval, const Interval& inner, double margin, double floor,
               double equivalence) {
  // A difference that is certain but too small to matter is not a claim.
  const bool matters = !interval.inside(-margin, margin);
  if (matters && interval.low > floor) return Claim::kSlower;
  if (matters && interval.high < -floor) return Claim::kFaster;
  return inner.inside(-equivalence, equivalence) ? Claim::kEquivalent : Claim::kInconclusive;
}

std::size_t launches_to_settle(const Verdict& verdict, double estimate, double margin) {
  // An estimate inside the margin is settled by showing equivalence: the rest of the margin is what must be
  // seen.
  const double distance = std::fabs(estimate) >= margin ? std::fabs(estimate) : margin - std::fabs(estimate);
  const std::size_t needed = units_needed(verdict.deviation, std::max(distance, margin / 4), kMostLaunches);
  return needed >= kMostLaunches ? 0 : std::max(needed, verdict.launches + 1);
}

std::size_t unsteady_in(const ArmSamples& arm) {
  return static_cast<std::size_t>(
      std::count_if(arm.launches.begin(), arm.launches.end(),
                    [](const LaunchRecord& launch) { return launch.steadiness == "unsteady"; }));
}

const LaunchRecord* launch_with(const ArmSamples& arm, std::uint32_t index) {
  for (const LaunchRecord& launch : arm.launches) {
    if (launch.index == index) return &launch;
  }
  return nullptr;
}

const Block* counting_block(const LaunchRecord& launch, std::uint32_t index) {
  for (const Block& block : launch.blocks) {
    if (block.index == index && !block.voided && !block.runs_ms.empty()) return &block;
  }
  return nullptr;
}

std::vector<double> pair_launches(const LaunchRecord& baseline, const LaunchRecord& candidate,
                                  PairedRatios& ratios) {
  std::vector<double> logs;
  for (const Block& block : baseline.blocks) {
    if (block.voided) ++ratios.voided;
    if (block.voided || block.runs_ms.empty()) continue;
    const Block* other = counting_block(candidate, block.index);
    if (other == nullptr) continue;
    if (block.disturbed || other->disturbed) ++ratios.disturbed;
    logs.push_back(std::log(median(other->runs_ms) / median(block.runs_ms)));
  }
  return logs;
}

Verdict judge_at(const PairedRatios& ratios, const JudgeOptions& options, double alpha) {
  const Units units = units_of(ratios);
  const double margin = std::log1p(options.margin);
  const double equivalence =
      std::max(margin, std::min(options.smallest_effect, std::log1p(kLargestEquivalence)));
  const BootstrapDistribution drawn = drawn_estimates(units, options);
  const double estimate = drawn.estimate();
  const Interval interval = interval_of(units, drawn, alpha);
  const Interval inner = interval_of(units, drawn, 2 * options.equivalence_alpha);
  const double floor = floor_of(ratios, options);

  Verdict verdict;
  verdict.claim = claim_of(interval, inner, margin, floor, equivalence);
  // What differs between two sessions may as well hide a difference as make one.
  if (!ratios.interleaved && verdict.claim == Claim::kEquivalent) verdict.claim = Claim::kInconclusive;
  verdict.ratio = std::exp(estimate);
  verdict.interval = as_ratio(interval);
  verdict.confidence = 1 - alpha;
  verdict.equivalence_interval = as_ratio(inner);
  verdict.equivalence_margin = std::expm1(equivalence);
  verdict.p_value = p_value_of(units, alpha);
  verdict.unit = units.unit;
  verdict.units = units.values.size();
  verdict.launches = ratios.launches.size();
  verdict.blocks = ratios.blocks();
  verdict.voided = ratios.voided;
  verdict.disturbed = ratios.disturbed;
  verdict.unsteady = ratios.unsteady;
  verdict.deviation = robust_deviation(units.values);
  verdict.smallest_effect = std::expm1(smallest_effect(verdict.deviation, verdict.units));
  verdict.interleaved = ratios.interleaved;
  verdict.control_alarmed = options.noise_floor > 0;
  if (verdict.claim == Claim::kInconclusive) {
    verdict.launches_needed = launches_to_settle(verdict, estimate, margin);
  }
  return verdict;
}

// The levels of the look that `launches` have reached; the plain ones for a recording of a fixed size, or one
// that was broken off between looks (which then is no look at all, and may not claim).
JudgeOptions at_look(const Recording& recording, std::size_t launches, const JudgeOptions& options) {
  if (recording.looks.size() < 2) return options;
  std::vector<double> fractions;
  for (const std::uint32_t look : recording.looks) {
    fractions.push_back(static_cast<double>(look) / static_cast<double>(recording.looks.back()));
  }
  const std::vector<double> levels = nominal_levels(fractions, options.alpha, recording.spending);
  const std::vector<double> inner =
      nominal_levels(fractions, 2 * options.equivalence_alpha, recording.spending);
  JudgeOptions adjusted = options;
  adjusted.alpha = 0;
  adjusted.equivalence_alpha = 0;
  for (std::size_t i = 0; i < levels.size(); ++i) {
    if (recording.looks[i] > launches) break;
    adjusted.alpha = levels[i];
    adjusted.equivalence_alpha = inner[i] / 2;
  }
  return adjusted;
}

}  // namespace

std::string_view claim_name(Claim claim) {
  constexpr std::string_view kNames[] = {"faster", "slower", "equivalent", "inconclusive"};
  return kNames[static_cast<std::size_t>(claim)];
}

std::string_view unit_name(Unit unit) { return unit == Unit::kLaunch ? "launch" : "block"; }

std::size_t PairedRatios::blocks() const {
  std::size_t count = 0;
  for (const std::vector<double>& launch : launches) count += launch.size();
  return count;
}

Result<PairedRatios> pair_arms(const ArmSamples& baseline, const ArmSamples& candidate) {
  PairedRatios ratios;
  for (const LaunchRecord& launch : baseline.launches) {
    const LaunchRecord* other = launch_with(candidate, launch.index);
    if (other == nullptr) continue;
    std::vector<double> logs = pair_launches(launch, *other, ratios);
    if (!logs.empty()) ratios.launches.push_back(std::move(logs));
  }
  ratios.unsteady = unsteady_in(baseline) + unsteady_in(candidate);
  if (!ratios.launches.empty()) return ratios;
  return invalid_input(
      fmt::format("\"{}\" and \"{}\" have no block of a launch in common; were they measured together?",
                  baseline.name, candidate.name));
}

Result<PairedRatios> pair_sessions(const ArmSamples& baseline, const ArmSamples& candidate) {
  const auto medians = [](const ArmSamples& arm) {
    std::vector<double> values;
    for (const LaunchRecord& launch : arm.launches) {
      std::vector<double> runs;
      for (const Block& block : launch.blocks) {
        if (!block.voided) runs.insert(runs.end(), block.runs_ms.begin(), block.runs_ms.end());
      }
      if (!runs.empty()) values.push_back(median_in_place(runs));
    }
    return values;
  };
  const std::vector<double> ours = medians(baseline);
  const std::vector<double> theirs = medians(candidate);
  if (ours.empty() || theirs.empty()) {
    return invalid_input(fmt::format("\"{}\" holds no runs", ours.empty() ? baseline.name : candidate.name));
  }
  PairedRatios ratios;
  ratios.interleaved = false;
  for (std::size_t i = 0; i < std::min(ours.size(), theirs.size()); ++i) {
    ratios.launches.push_back({std::log(theirs[i] / ours[i])});
  }
  ratios.unsteady = unsteady_in(baseline) + unsteady_in(candidate);
  return ratios;
}

Verdict judge(const PairedRatios& ratios, const JudgeOptions& options) {
  return judge_at(ratios, options, options.alpha);
}

std::vector<Verdict> judge_family(std::span<const PairedRatios> comparisons, Family family,
                                  const JudgeOptions& options) {
  // p-values are taken at the level that the strictest of them may have to meet.
  const double strictest = 1 - family_confidence(1 - options.alpha, 1, comparisons.size(), Family::kHolm);
  std::vector<double> p_values;
  for (const PairedRatios& ratios : comparisons) p_values.push_back(p_value_of(units_of(ratios), strictest));
  const std::vector<double> adjusted = adjusted_p_values(p_values, family);
  const auto claims = static_cast<std::size_t>(
      std::count_if(adjusted.begin(), adjusted.end(), [&](double p) { return p <= options.alpha; }));
  const double alpha = 1 - family_confidence(1 - options.alpha, claims, comparisons.size(), family);
  std::vector<Verdict> verdicts;
  for (std::size_t i = 0; i < comparisons.size(); ++i) {
    Verdict verdict = judge_at(comparisons[i], options, alpha);
    const bool claimed = verdict.claim == Claim::kFaster || verdict.claim == Claim::kSlower;
    if (claimed && adjusted[i] > options.alpha) verdict.claim = Claim::kInconclusive;
    verdict.p_value = adjusted[i];
    verdicts.push_back(verdict);
  }
  return verdicts;
}

Control judge_control(const PairedRatios& ratios, std::size_t planned_launches, const JudgeOptions& options) {
  JudgeOptions plain = options;
  plain.noise_floor = 0;
  plain.smallest_effect = 0;
  Control control;
  control.ran = true;
  control.verdict = judge(ratios, plain);
  control.alarmed = control.verdict.claim == Claim::kFaster || control.verdict.claim == Claim::kSlower;
  const Interval& interval = control.verdict.interval;
  control.noise_floor = std::max(std::fabs(interval.low - 1), std::fabs(interval.high - 1));
  const std::size_t per_launch =
      std::max<std::size_t>(1, control.verdict.units / std::max<std::size_t>(1, control.verdict.launches));
  control.smallest_effect =
      std::expm1(smallest_effect(control.verdict.deviation, planned_launches * per_launch));
  return control;
}

JudgeOptions with_control(const JudgeOptions& options, const Control& control) {
  JudgeOptions informed = options;
  if (!control.ran) return informed;
  if (control.alarmed) informed.noise_floor = std::log1p(control.noise_floor);
  informed.smallest_effect = std::log1p(control.smallest_effect);
  return informed;
}

Result<Judgement> judge_recording(const Recording& recording, const RecordingOptions& options) {
  if (recording.arms.size() < 2) {
    return invalid_input(
        fmt::format("found {} arm, want a baseline and at least one candidate", recording.arms.size()));
  }
  Judgement judgement;
  JudgeOptions judge_options = options.judge;
  if (recording.control.size() == 2 && !recording.control.front().launches.empty()) {
    ETALON_TRY(const PairedRatios control, pair_arms(recording.control[0], recording.control[1]),
               "A/A control");
    const std::size_t planned =
        recording.looks.empty() ? recording.arms.front().launches.size() : recording.looks.back();
    judgement.control = judge_control(control, planned, judge_options);
    judge_options = with_control(judge_options, judgement.control);
  }
  std::vector<PairedRatios> comparisons;
  for (std::size_t arm = 1; arm < recording.arms.size(); ++arm) {
    ETALON_TRY(PairedRatios ratios, pair_arms(recording.arms.front(), recording.arms[arm]));
    comparisons.push_back(std::move(ratios));
  }
  judge_options = at_look(recording, comparisons.front().launches.size(), judge_options);
  if (options.family) {
    judgement.verdicts = judge_family(comparisons, *options.family, judge_options);
    return judgement;
  }
  for (const PairedRatios& ratios : comparisons) judgement.verdicts.push_back(judge(ratios, judge_options));
  return judgement;
}

}  // namespace etalon::measure
