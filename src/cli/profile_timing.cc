#include "cli/profile_timing.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "analysis/run_report.h"
#include "base/file.h"
#include "cli/arms.h"
#include "cli/runner_paths.h"
#include "measure/protocol.h"
#include "measure/schedule.h"
#include "measure/statistics.h"

namespace etalon::cli {
namespace {

using measure::ArmSamples;
using measure::Figures;
using measure::LaunchRecord;
using measure::Recording;
using measure::Worker;
using targets::RunOutcome;
using targets::RunRequest;

// Beyond what the user asked for, until the times are steady.
constexpr std::uint32_t kMostWarmup = 100;
constexpr double kWarmupSeconds = 0.3;

std::string label_of(const ProfileUnit& unit) {
  return analysis::run_name(unit.result.experiment, unit.result.threads);
}

// The first failure of a worker, which ends run_session() with an error that need not name it.
struct Failure {
  std::size_t unit = 0;
  Error error;
};

// Runners built without logging print no times, but those that record events leave them in the file.
void times_from_recording(const RunRequest& request, RunOutcome& outcome) {
  if (!outcome.runs_ms.empty() && !outcome.runs_are_means) return;
  const std::vector<double> all = recorded_ms(request.etdump_path);
  if (all.size() <= request.warmup) return;
  outcome.first_ms = all.front();
  outcome.runs_are_means = false;
  outcome.runs_ms.assign(all.begin() + static_cast<std::ptrdiff_t>(request.warmup), all.end());
}

// A runner that cannot be kept alive: every request is a process, which warms up by itself.
class ProcessPerBlock final : public Worker {
 public:
  ProcessPerBlock(ProfileContext& context, ProfileUnit& unit, bool& traced)
      : context_(context), unit_(unit), traced_(traced) {}

  Result<std::vector<double>> run(std::uint32_t runs) override {
    RunRequest request = context_.request_for(unit_);
    request.iterations = runs;
    ETALON_TRY(RunOutcome outcome, context_.run(unit_, request, "timing run"));
    if (outcome.ok) times_from_recording(request, outcome);
    traced_ = traced_ || file_exists(request.etdump_path);
    ::unlink(request.etdump_path.c_str());
    if (!outcome.ok) return run_failed(outcome.error);
    if (outcome.runs_ms.empty()) {
      return run_failed(
          "the runner printed no times; build it with EXECUTORCH_ENABLE_LOGGING=ON or with the event tracer");
    }
    if (outcome.load_ms) figures_["load_ms"] = *outcome.load_ms;
    if (outcome.first_ms) figures_["first_ms"] = *outcome.first_ms;
    if (outcome.peak_rss_bytes) figures_["peak_rss_bytes"] = *outcome.peak_rss_bytes;
    for (double& ms : outcome.runs_ms) ms *= 1e6;
    return std::move(outcome.runs_ms);
  }
  Figures figures() const override { return figures_; }

 private:
  ProfileContext& context_;
  ProfileUnit& unit_;
  bool& traced_;
  Figures figures_;
};

// Remembers whose worker failed.
class WatchedWorker final : public Worker {
 public:
  WatchedWorker(std::unique_ptr<Worker> worker, std::size_t unit, std::optional<Failure>& failure)
      : worker_(std::move(worker)), unit_(unit), failure_(failure) {}

  Result<std::vector<double>> run(std::uint32_t runs) override {
    auto times = worker_->run(runs);
    if (!times.ok()) failure_ = Failure{unit_, times.error()};
    return times;
  }
  Figures figures() const override { return worker_->figures(); }

 private:
  std::unique_ptr<Worker> worker_;
  std::size_t unit_;
  std::optional<Failure>& failure_;
};

class TimingSession {
 public:
  TimingSession(ProfileContext& context, std::vector<ProfileUnit*> units)
      : context_(context), units_(std::move(units)) {}

  Status run(const std::set<std::string>& closed_sessions);

 private:
  bool is_kept_alive(const ProfileUnit& unit) const {
    return context_.target.is_local() && is_own_runner(unit.result.runner);
  }
  measure::Plan plan() const;
  Status prepare_arms();
  Result<std::unique_ptr<Worker>> launch(std::size_t unit);
  Status save(const Recording& recording);
  Recording earlier(const std::set<std::string>& closed_sessions) const;
  Result<bool> attempt(Recording earlier);  // false: one failed and is out
  Status drop_failed();
  void finish(const Recording& recording);

  std::string samples_of(const ProfileUnit& unit) const { return context_.stem_of(unit) + "_samples.json"; }
  std::string control_of(const ProfileUnit& unit) const { return context_.stem_of(unit) + "_control.json"; }

  ProfileContext& context_;
  std::vector<ProfileUnit*> units_;  // arms of the session
  std::vector<measure::Arm> arms_;
  std::vector<std::size_t> own_;  // index into the processes of ours, by unit
  std::unique_ptr<ArmProcesses> processes_;
  std::map<const ProfileUnit*, bool> traced_;
  std::optional<Failure> failure_;
  std::optional<Recording> saved_;
};

ArmRequest request_of(const ProfileContext& context, const ProfileUnit& unit) {
  const measure::Experiment& experiment = *unit.experiment;
  ArmRequest request;
  request.name = label_of(unit);
  request.model = context.config.model;
  request.runner = unit.result.runner;
  request.engine = experiment.engine;
  request.isa = experiment.isa;
  request.threads = unit.result.threads;
  request.inputs = experiment.inputs;
  request.extra_args = experiment.extra_args;
  request.environment = experiment.environment;
  request.cpu_mask = experiment.cpu_mask;
  request.log_path = context.log_of(unit);
  request.key = unit.result.key;
  request.timeout_seconds = context.options.timeout_seconds;
  return request;
}

Status TimingSession::prepare_arms() {
  arms_.clear();
  own_.assign(units_.size(), 0);
  std::vector<ArmRequest> requests;
  for (std::size_t i = 0; i < units_.size(); ++i) {
    const ProfileUnit& unit = *units_[i];
    const bool alive = is_kept_alive(unit);
    arms_.push_back({.name = unit.result.experiment,
                     .key = unit.result.key,
                     .threads = unit.result.threads,
                     .total_runs = unit.experiment->runs,
                     .fewest_warmup = unit.experiment->warmup,
                     .warms_itself = !alive || unit.experiment->warmup == 0,
                     .fresh_each_block = !alive});
    if (!alive) continue;
    own_[i] = requests.size();
    requests.push_back(request_of(context_, unit));
  }
  ETALON_TRY(processes_, ArmProcesses::prepare(requests));
  return {};
}

measure::Plan TimingSession::plan() const {
  std::vector<std::uint32_t> runs;
  bool all_alive = true;
  for (const ProfileUnit* unit : units_) {
    runs.push_back(unit->experiment->runs);
    all_alive = all_alive && is_kept_alive(*unit);
  }
  measure::Plan plan = measure::plan_for_runs(runs);
  plan.seed = context_.seed;
  plan.warmup_runs = kMostWarmup;
  plan.warmup_seconds = kWarmupSeconds;
  plan.sentinel_tolerance = context_.options.sentinel_tolerance;
  plan.mirrored = all_alive;
  if (!all_alive) plan.blocks_per_launch = 1;  // a process per block is a launch
  plan.concurrent = processes_->fit_together();
  return plan;
}

Result<std::unique_ptr<Worker>> TimingSession::launch(std::size_t unit) {
  std::unique_ptr<Worker> worker;
  if (arms_[unit].fresh_each_block) {
    worker = std::make_unique<ProcessPerBlock>(context_, *units_[unit], traced_[units_[unit]]);
  } else {
    auto launched = processes_->launcher()(own_[unit]);
    if (!launched.ok()) {
      failure_ = Failure{unit, launched.error()};
      return launched.take_error();
    }
    worker = std::move(launched).value();
  }
  return std::unique_ptr<Worker>(std::make_unique<WatchedWorker>(std::move(worker), unit, failure_));
}

Status TimingSession::save(const Recording& recording) {
  for (std::size_t i = 0; i < units_.size(); ++i) {
    Recording one = measure::without_arms(recording);
    one.arms.push_back(recording.arms[i]);
    one.arms.front().traced = traced_[units_[i]];
    units_[i]->result.session = recording.session;
    if (!one.arms.front().launches.empty()) units_[i]->result.samples = samples_of(*units_[i]);
    ETALON_CHECKED(measure::write_recording(context_.path_of(samples_of(*units_[i])), one));
  }
  saved_ = recording;
  if (recording.control.empty()) return {};
  Recording control = measure::without_arms(recording);
  control.control = recording.control;
  return measure::write_recording(context_.path_of(control_of(*units_.front())), control);
}

// What the files of an interrupted session hold, if all of its runs are still to be finished together.
Recording TimingSession::earlier(const std::set<std::string>& closed_sessions) const {
  Recording whole;
  for (const ProfileUnit* unit : units_) {
    auto read = measure::read_recording(context_.path_of(samples_of(*unit)));
    if (!read.ok() || read->arms.size() != 1 || read->arms.front().key != unit->result.key) return {};
    if (read->session.empty() || closed_sessions.count(read->session) > 0) return {};
    if (whole.arms.empty()) {
      whole = measure::without_arms(*read);
    } else if (read->session != whole.session) {
      return {};
    }
    whole.arms.push_back(std::move(read->arms.front()));
  }
  if (whole.control_launches == 0) return whole;
  auto control = measure::read_recording(context_.path_of(control_of(*units_.front())));
  if (!control.ok() || control->session != whole.session || control->control.size() != 2) return {};
  whole.control = std::move(control->control);
  return whole;
}

Result<bool> TimingSession::attempt(Recording earlier) {
  failure_.reset();
  saved_.reset();
  ETALON_CHECKED(prepare_arms());
  for (ProfileUnit* unit : units_) {
    if (earlier.arms.empty()) ::unlink(context_.log_of(*unit).c_str());  // of a session that is not gone on with
    ETALON_CHECKED(context_.note_in_log(*unit, "timing session"));
    for (const ArmSamples& arm : earlier.arms) {
      if (arm.key == unit->result.key) traced_[unit] = arm.traced;
    }
  }
  measure::SessionHooks hooks;
  hooks.begin = [this](std::string_view phase, std::uint32_t launch) { processes_->before_launch(phase, launch); };
  hooks.save = [this](const Recording& recording) { return save(recording); };
  hooks.progress = [this](std::string_view phase, std::uint32_t, std::uint32_t) {
    context_.tell(phase == "control" ? "control: the first run against itself" : "timing");
    context_.done = std::min(context_.done + 1, context_.total);
  };
  const measure::Plan wanted = plan();
  auto outcome = measure::run_session(
      wanted, arms_, [this](std::size_t unit) { return launch(unit); },
      measure::real_surroundings(processes_->shared_cpus()), hooks, {}, std::move(earlier));
  if (outcome.ok()) {
    finish(outcome->recording);
    return true;
  }
  if (!failure_) return outcome.take_error();
  ETALON_CHECKED(drop_failed());
  return false;
}

Status TimingSession::drop_failed() {
  ProfileUnit& unit = *units_[failure_->unit];
  ETALON_CHECKED(context_.fail(unit, failure_->error.message()));
  units_.erase(units_.begin() + static_cast<std::ptrdiff_t>(failure_->unit));
  if (!saved_) return {};
  // The others keep what they have; a control of the run that failed is no control of theirs.
  saved_->arms.erase(saved_->arms.begin() + static_cast<std::ptrdiff_t>(failure_->unit));
  const bool any = std::any_of(saved_->arms.begin(), saved_->arms.end(),
                               [](const ArmSamples& arm) { return !arm.launches.empty(); });
  if (!any || (failure_->unit == 0 && !saved_->control.empty())) {
    saved_.reset();
  } else if (units_.size() < 2) {
    saved_->control.clear();
    saved_->control_launches = 0;
  }
  return {};
}

Status TimingSession::run(const std::set<std::string>& closed_sessions) {
  Recording known = context_.options.fresh ? Recording() : earlier(closed_sessions);
  while (!units_.empty()) {
    ETALON_TRY(const bool finished, attempt(std::move(known)));
    if (finished) return {};
    known = saved_ ? std::move(*saved_) : Recording();
  }
  return {};
}

std::optional<double> median_of(std::vector<double> values) {
  if (values.empty()) return std::nullopt;
  return measure::median(values);
}

std::vector<double> figure(const ArmSamples& arm, const std::string& name) {
  std::vector<double> values;
  for (const LaunchRecord& launch : arm.launches) {
    const auto found = launch.figures.find(name);
    if (found != launch.figures.end()) values.push_back(found->second);
  }
  return values;
}

std::vector<double> cold_starts(const ArmSamples& arm) {
  std::vector<double> values;
  for (const LaunchRecord& launch : arm.launches) {
    const auto load = launch.figures.find("load_ms");
    const auto first = launch.figures.find("first_ms");
    if (load != launch.figures.end() && first != launch.figures.end()) values.push_back(load->second + first->second);
  }
  return values;
}

void summarize(const ArmSamples& arm, analysis::RunResult& result) {
  result.latency_ms = arm.runs_ms();
  const measure::Summary summary = measure::summarize(result.latency_ms);
  result.median_ms = summary.median;
  result.mean_ms = summary.mean;
  result.min_ms = summary.min;
  result.max_ms = summary.max;
  result.p95_ms = summary.p95;
  if (summary.count > 1) result.stdev_ms = summary.stdev;
  if (summary.count > 1) result.cv_percent = summary.cv_percent;
  result.first_ms = median_of(figure(arm, "first_ms"));
  result.load_ms = median_of(figure(arm, "load_ms"));
  result.cold_ms = median_of(cold_starts(arm));
  const std::vector<double> peaks = figure(arm, "peak_rss_bytes");
  if (!peaks.empty()) result.peak_rss_bytes = *std::max_element(peaks.begin(), peaks.end());
  result.baseline_rss_bytes = median_of(figure(arm, "baseline_rss_bytes"));
  result.packed_weights_bytes = median_of(figure(arm, "packed_weights_bytes"));
  result.planned_bytes = median_of(figure(arm, "planned_bytes"));
  result.workspace_bytes = median_of(figure(arm, "workspace_bytes"));
}

void TimingSession::finish(const Recording& recording) {
  for (std::size_t i = 0; i < units_.size(); ++i) {
    analysis::RunResult& result = units_[i]->result;
    result.session = recording.session;
    result.samples = samples_of(*units_[i]);
    if (!recording.control.empty()) result.control = control_of(*units_.front());
    result.timing_was_traced = traced_[units_[i]];
    summarize(recording.arms[i], result);
  }
}

std::vector<std::vector<ProfileUnit*>> sessions_of(const ProfileContext& context,
                                                   const std::vector<ProfileUnit*>& units) {
  if (context.config.design == measure::Design::kInterleaved) return {units};
  std::vector<std::vector<ProfileUnit*>> alone;
  for (ProfileUnit* unit : units) alone.push_back({unit});
  return alone;
}

}  // namespace

std::size_t timing_steps(const ProfileContext& context, const std::vector<ProfileUnit*>& units) {
  std::size_t steps = 0;
  if (units.empty()) return 0;
  for (const std::vector<ProfileUnit*>& session : sessions_of(context, units)) {
    std::vector<std::uint32_t> runs;
    for (const ProfileUnit* unit : session) runs.push_back(unit->experiment->runs);
    const measure::Plan plan = measure::plan_for_runs(runs);
    steps += plan.launches + plan.control_launches;
  }
  return steps;
}

Status time_units(ProfileContext& context, std::vector<ProfileUnit*> units,
                  const std::set<std::string>& closed_sessions) {
  if (units.empty()) return {};
  for (const std::vector<ProfileUnit*>& session : sessions_of(context, units)) {
    ETALON_CHECKED(TimingSession(context, session).run(closed_sessions));
  }
  return {};
}

}  // namespace etalon::cli
