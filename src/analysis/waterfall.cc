#include "analysis/waterfall.h"

#include <algorithm>
#include <cmath>
#include <compare>
#include <map>
#include <span>
#include <string>

#include "analysis/work_kind.h"
#include "measure/bootstrap.h"

namespace etalon::analysis {
namespace {

using Rows = std::vector<std::size_t>;

constexpr double kConfidence = 0.95;
constexpr std::size_t kFewestLaunches = 5;  // below this a resampled interval is far too narrow

// What makes two operators part of one step.
struct StepKey {
  StepKind kind;
  std::string category;
  bool known = true;  // the kernels of both sides
  auto operator<=>(const StepKey& other) const = default;
};

struct StepRows {
  Rows baseline;
  Rows candidate;
  std::size_t operators = 0;
};

bool is_movement_step(StepKind kind) { return kind == StepKind::kLayout || kind == StepKind::kConversion; }

bool is_movement(WorkKind kind) { return kind == WorkKind::kLayout || kind == WorkKind::kConversion; }

class Steps {
 public:
  Steps(const Profile& baseline, const Profile& candidate) : baseline_(baseline), candidate_(candidate) {}

  void add(const OperatorMatch& match) {
    const Rows before =
        take_movement(baseline_, match.baseline, candidate_, match.candidate, &StepRows::baseline);
    const Rows after =
        take_movement(candidate_, match.candidate, baseline_, match.baseline, &StepRows::candidate);
    if (before.empty() && after.empty()) return;
    StepRows& step = steps_[key_of(match)];
    step.baseline.insert(step.baseline.end(), before.begin(), before.end());
    step.candidate.insert(step.candidate.end(), after.begin(), after.end());
    ++step.operators;
  }

  const std::map<StepKey, StepRows>& all() const { return steps_; }

 private:
  // Moves transposes and conversions of which the other side has none to steps of their own; returns the
  // rest.
  Rows take_movement(const Profile& profile, const Rows& rows, const Profile& other, const Rows& other_rows,
                     Rows StepRows::*side) {
    Rows rest;
    for (const std::size_t row : rows) {
      const WorkKind kind = work_of(profile.operators[row]).kind;
      const bool on_both = std::any_of(other_rows.begin(), other_rows.end(), [&](std::size_t theirs) {
        return work_of(other.operators[theirs]).kind == kind;
      });
      if (!is_movement(kind) || on_both) {
        rest.push_back(row);
        continue;
      }
      StepRows& step =
          steps_[{kind == WorkKind::kLayout ? StepKind::kLayout : StepKind::kConversion, {}, true}];
      (step.*side).push_back(row);
      ++step.operators;
    }
    return rest;
  }

  StepKey key_of(const OperatorMatch& match) const {
    if (match.candidate.empty()) return {StepKind::kRemoved, match.category, true};
    if (match.baseline.empty()) return {StepKind::kAdded, match.category, true};
    if (match.kernel_changed) return {StepKind::kKernel, match.category, true};
    const bool known = !baseline_.operators[match.baseline.front()].kernel_hint.empty() &&
                       !candidate_.operators[match.candidate.front()].kernel_hint.empty();
    return {StepKind::kSameKernel, match.category, known};
  }

  const Profile& baseline_;
  const Profile& candidate_;
  std::map<StepKey, StepRows> steps_;
};

std::string name_of(const StepKey& key) {
  switch (key.kind) {
    case StepKind::kKernel:
      return key.category + ": other kernels";
    case StepKind::kSameKernel:
      return key.category + (key.known ? ": same kernels" : ": kernels not known");
    case StepKind::kAdded:
      return key.category + ": only in the candidate";
    case StepKind::kRemoved:
      return key.category + ": only in the baseline";
    case StepKind::kLayout:
      return "layout: transposes and copies on one side";
    case StepKind::kConversion:
      return "conversion: quantise and cast on one side";
    case StepKind::kFramework:
      return "framework: dispatch and delegate calls";
    case StepKind::kResidual:
      return "residual: outside of every instruction";
  }
  return {};
}

double sum_of(const Profile& profile, const Rows& rows, double scale) {
  double sum = 0;
  for (const std::size_t row : rows) sum += profile.operators[row].avg_ms * scale;
  return sum;
}

measure::Interval spread_of(const std::vector<double>& values) {
  const auto centre = [](std::span<double> drawn) { return measure::hodges_lehmann(drawn); };
  const measure::BootstrapDistribution drawn(values, centre, {measure::BootstrapKind::kPercentile, 1000, 1});
  const measure::Interval interval = drawn.interval(kConfidence);
  // A resampled spread is short of the true one by this factor.
  const auto count = static_cast<double>(values.size());
  const double widened = std::sqrt(count / (count - 1));
  return {(interval.low - drawn.estimate()) * widened, (interval.high - drawn.estimate()) * widened};
}

// Around `delta`, which rests on means over all runs, with the spread that launches show.
std::optional<measure::Interval> interval_around(double delta, std::vector<double> before,
                                                 std::vector<double> after, bool paired) {
  if (before.size() < kFewestLaunches || after.size() < kFewestLaunches) return std::nullopt;
  if (paired && before.size() == after.size()) {
    for (std::size_t i = 0; i < after.size(); ++i) after[i] -= before[i];
    const measure::Interval spread = spread_of(after);
    return measure::Interval{delta + spread.low, delta + spread.high};
  }
  const measure::Interval theirs = spread_of(after);
  const measure::Interval ours = spread_of(before);
  return measure::Interval{delta - std::hypot(theirs.low, ours.high),
                           delta + std::hypot(theirs.high, ours.low)};
}

}  // namespace

std::vector<double> launch_sums(const Profile& profile, const Rows& rows, double scale) {
  if (rows.empty()) return {};
  std::vector<double> sums(profile.operators[rows.front()].launch_ms.size());
  for (const std::size_t row : rows) {
    const std::vector<double>& launches = profile.operators[row].launch_ms;
    if (launches.size() != sums.size()) return {};
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += launches[i] * scale;
  }
  return sums;
}

std::vector<WaterfallStep> make_waterfall(const Profile& baseline, const Profile& candidate,
                                          const Scales& scales, const std::vector<OperatorMatch>& matches,
                                          double difference_ms, bool paired) {
  Steps groups(baseline, candidate);
  for (const OperatorMatch& match : matches) groups.add(match);
  std::vector<WaterfallStep> steps;
  for (const auto& [key, rows] : groups.all()) {
    WaterfallStep step;
    step.kind = key.kind;
    step.name = name_of(key);
    step.category = is_movement_step(key.kind) ? std::string(kDataMovement) : key.category;
    step.delta_ms = sum_of(candidate, rows.candidate, scales.candidate) -
                    sum_of(baseline, rows.baseline, scales.baseline);
    step.operators = rows.operators;
    std::vector<double> before = launch_sums(baseline, rows.baseline, scales.baseline);
    std::vector<double> after = launch_sums(candidate, rows.candidate, scales.candidate);
    // A side without operators takes no time in any launch.
    if (rows.baseline.empty()) before.assign(after.size(), 0);
    if (rows.candidate.empty()) after.assign(before.size(), 0);
    step.interval_ms = interval_around(step.delta_ms, std::move(before), std::move(after), paired);
    steps.push_back(std::move(step));
  }
  std::stable_sort(steps.begin(), steps.end(), [](const WaterfallStep& a, const WaterfallStep& b) {
    return std::abs(a.delta_ms) > std::abs(b.delta_ms);
  });
  WaterfallStep framework;
  framework.kind = StepKind::kFramework;
  framework.name = name_of({StepKind::kFramework, {}, true});
  framework.delta_ms = candidate.accounting.framework_ms * scales.candidate -
                       baseline.accounting.framework_ms * scales.baseline;
  steps.push_back(framework);
  WaterfallStep residual;
  residual.kind = StepKind::kResidual;
  residual.name = name_of({StepKind::kResidual, {}, true});
  residual.delta_ms = difference_ms;
  for (const WaterfallStep& step : steps) residual.delta_ms -= step.delta_ms;
  steps.push_back(residual);
  return steps;
}

}  // namespace etalon::analysis
