#include "trials.h"

#include <fmt/core.h>

#include <cstdio>
#include <span>

#include "naive_tests.h"

namespace etalon::bench {
namespace {

Status append_line(const std::string& path, const std::string& line) {
  if (path.empty()) return {};
  std::FILE* file = std::fopen(path.c_str(), "ab");
  if (file == nullptr) return io_error(path + ": cannot be written");
  const bool written = std::fwrite(line.data(), 1, line.size(), file) == line.size();
  return std::fclose(file) == 0 && written ? Status() : io_error(path + ": cannot be written");
}

std::string line_of(const std::string& noise, std::size_t trial, const InjectedArm& arm,
                    const measure::Verdict& verdict) {
  return fmt::format(
      R"({{"noise": "{}", "trial": {}, "factor": {}, "claim": "{}", "ratio": {:.6f}, "low": {:.6f}, "high": {:.6f}, "p": {:.6f}, "voided": {}, "disturbed": {}}})"
      "\n",
      noise, trial, arm.factor, measure::claim_name(verdict.claim), verdict.ratio, verdict.interval.low,
      verdict.interval.high, verdict.p_value, verdict.voided, verdict.disturbed);
}

}  // namespace

measure::Plan plan_of(const TrialOptions& options, std::size_t trial) {
  measure::Plan plan;
  plan.launches = options.launches;
  plan.blocks_per_launch = options.blocks_per_launch;
  plan.control_launches = options.control_launches;
  plan.block_seconds = options.block_seconds;
  plan.warmup_seconds = 0.1;
  plan.cool_down_seconds = 0.02;
  plan.seed = options.seed * 1'000'003 + trial;
  return plan;
}

std::vector<measure::Arm> arms_of_trial() {
  std::vector<measure::Arm> arms;
  for (const InjectedArm& arm : kArms) arms.push_back({std::string(arm.name), "", 1});
  return arms;
}

Result<std::vector<Row>> run_trials(const std::string& noise, const TrialOptions& options,
                                    const std::function<Result<TrialMachine>(std::size_t trial)>& machine,
                                    const std::function<bool(std::size_t done)>& go_on) {
  std::vector<Row> rows;
  for (const InjectedArm& arm : std::span(kArms).subspan(1))
    rows.push_back({noise, std::string(arm.name), {}});
  for (std::size_t trial = 0; trial < options.trials && go_on(trial); ++trial) {
    ETALON_TRY(TrialMachine world, machine(trial));
    measure::RecordingOptions judging;
    judging.judge.seed = trial;
    judging.judge.resamples = 1000;
    ETALON_TRY(const measure::SessionOutcome outcome,
               measure::run_session(plan_of(options, trial), arms_of_trial(), world.launch,
                                    world.surroundings, {}, judging),
               fmt::format("trial {}", trial));
    const std::vector<measure::ArmSamples>& arms = outcome.recording.arms;
    const std::uint32_t runs =
        options.launches * options.blocks_per_launch * outcome.recording.runs_per_block;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const measure::Verdict& verdict = outcome.judgement.verdicts[i];
      rows[i].rates.add(verdict, kArms[i + 1].factor);
      rows[i].rates.naive_blocks += block_p(arms[0], arms[i + 1]) < 0.05 ? 1 : 0;
      ETALON_CHECKED(append_line(options.lines_path, line_of(noise, trial, kArms[i + 1], verdict)));
      if (!options.naive) continue;
      ETALON_TRY(const double p, sequential_p(world.launch, i + 1, runs));
      rows[i].rates.naive_sequential += p < 0.05 ? 1 : 0;
    }
  }
  return rows;
}

}  // namespace etalon::bench
