#include "cli/compare/measured.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "analysis/content_hash.h"
#include "analysis/run_comparison.h"
#include "base/file.h"
#include "cli/compare/compared_arm.h"
#include "cli/compare/layer_numerics.h"
#include "cli/compare/outputs.h"
#include "cli/compare/recorded_runs.h"
#include "cli/run_analysis.h"
#include "cli/version.h"
#include "measure/statistics.h"
#include "platform/clock.h"
#include "report/writers.h"
#include "targets/target.h"

namespace etalon::cli {
namespace {

using analysis::RunResult;
using measure::ArmSamples;
using measure::Recording;

constexpr double kTimingShare = 0.65;  // of the seconds; recording operators takes the rest
constexpr const char* kSessionFile = "session_samples.json";  // until the session is complete

std::vector<double> figures(const ArmSamples& arm, const char* name) {
  std::vector<double> values;
  for (const measure::LaunchRecord& launch : arm.launches) {
    const auto found = launch.figures.find(name);
    if (found != launch.figures.end()) values.push_back(found->second);
  }
  return values;
}

std::optional<double> median_figure(const ArmSamples& arm, const char* name) {
  const std::vector<double> values = figures(arm, name);
  return values.empty() ? std::nullopt : std::optional(measure::median(values));
}

void summarize(const ArmSamples& samples, const std::string& session, RunResult& result) {
  result.latency_ms = samples.runs_ms();
  const measure::Summary summary = measure::summarize(result.latency_ms);
  result.status = "ok";
  result.key = samples.key;
  result.session = session;
  result.runs = static_cast<std::uint32_t>(summary.count);
  result.median_ms = summary.median;
  result.mean_ms = summary.mean;
  result.min_ms = summary.min;
  result.max_ms = summary.max;
  result.p95_ms = summary.p95;
  if (summary.count > 1) result.stdev_ms = summary.stdev;
  if (summary.count > 1) result.cv_percent = summary.cv_percent;
  result.first_ms = median_figure(samples, "first_ms");
  result.load_ms = median_figure(samples, "load_ms");
  const std::vector<double> peaks = figures(samples, "peak_rss_bytes");
  if (!peaks.empty()) result.peak_rss_bytes = *std::max_element(peaks.begin(), peaks.end());
  result.baseline_rss_bytes = median_figure(samples, "baseline_rss_bytes");
  result.packed_weights_bytes = median_figure(samples, "packed_weights_bytes");
  result.planned_bytes = median_figure(samples, "planned_bytes");
  result.workspace_bytes = median_figure(samples, "workspace_bytes");
}

class Work {
 public:
  explicit Work(const CompareRequest& request) : request_(request) {}

  Result<MeasuredComparison> run() {
    ETALON_TRY(arms_, make_arms(request_));
    ETALON_CHECKED(prepare_folder());
    ETALON_CHECKED(measure_session());
    ETALON_CHECKED(save("running"));
    if (request_.trace) ETALON_CHECKED(record());
    ETALON_CHECKED(save("complete"));
    return report();
  }

 private:
  Status prepare_folder();
  Status measure_session();
  Status keep_samples(const Recording& recording);
  bool adopt_recordings();
  Status record();
  Status save(const char* status);
  Result<MeasuredComparison> report();
  std::vector<analysis::RecordedRun> views(const std::vector<analysis::Profile>& profiles) const;
  void compare_numbers(const std::vector<analysis::RecordedRun>& runs, std::vector<analysis::Comparison>& comparisons);
  std::string path_of(const std::string& relative) const { return run_dir_ + "/" + relative; }

  const CompareRequest& request_;
  std::vector<ComparedArm> arms_;
  std::string run_dir_;
  analysis::Manifest manifest_;
  Recording recording_;
  measure::Judgement judgement_;
  bool measured_ = false;  // anything, in this process
};

Status Work::prepare_folder() {
  run_dir_ = request_.output_dir.empty() ? "out_compare/" + comparison_name(arms_) : request_.output_dir;
  while (run_dir_.size() > 1 && run_dir_.back() == '/') run_dir_.pop_back();
  ETALON_CHECKED(make_directories(run_dir_));
  for (ComparedArm& arm : arms_) {
    ETALON_CHECKED(make_directories(path_of(arm.result.experiment)));
    arm.result.log = arm.stem() + ".log";
    arm.request.log_path = path_of(arm.result.log);
    if (!file_exists(arm.request.log_path)) {
      ETALON_CHECKED(write_file(arm.request.log_path,
                                fmt::format("# {} against others with etalon compare\n", arm.name)));
    }
  }
  targets::HostTarget target;
  manifest_.tool = fmt::format("etalon {}", kVersion);
  manifest_.model.path = arms_.front().request.model;
  ETALON_TRY(manifest_.model.hash, analysis::hash_file(manifest_.model.path));
  manifest_.model.size_bytes = static_cast<std::uint64_t>(arms_.front().facts->file_bytes);
  for (ComparedArm& arm : arms_) {
    if (arm.result.model_hash != manifest_.model.hash) continue;
    arm.result.model.clear();  // that of the manifest
    arm.result.model_hash.clear();
  }
  manifest_.platform = "host";
  manifest_.design = "interleaved";
  manifest_.device = target.facts();
  for (std::size_t i = 1; i < arms_.size(); ++i) {
    manifest_.compare_pairs.push_back({"", arms_[0].result.experiment, arms_[0].result.threads,
                                       arms_[i].result.experiment, arms_[i].result.threads});
  }
  return {};
}

Status Work::measure_session() {
  ArmsOptions options;
  const double seconds = request_.trace ? kTimingShare * request_.seconds : request_.seconds;
  options.plan = plan_for_seconds(seconds);
  if (request_.launches > 0) {
    options.plan.launches = request_.launches;
    options.plan.budget_seconds = 0;
  }
  options.judge.judge.margin = request_.margin;
  options.samples_path = path_of(kSessionFile);
  if (request_.fresh) ::unlink(options.samples_path.c_str());
  options.progress = [this](std::string_view phase, std::uint32_t done, std::uint32_t all) {
    if (request_.progress)
      request_.progress(phase == "control" ? "control: the first against itself" : "timing", done, all);
  };
  std::vector<ArmRequest> requests;
  for (const ComparedArm& arm : arms_) requests.push_back(arm.request);
  const auto earlier = measure::read_recording(options.samples_path);
  ETALON_TRY(measure::SessionOutcome outcome, measure_arms(requests, options));
  measured_ =
      !earlier.ok() || measure::recording_to_json(*earlier) != measure::recording_to_json(outcome.recording);
  recording_ = std::move(outcome.recording);
  judgement_ = std::move(outcome.judgement);
  manifest_.seed = recording_.seed;
  return keep_samples(recording_);
}

// One file per run, as every run folder has; the control is the session's.
Status Work::keep_samples(const Recording& recording) {
  std::string control;
  if (!recording.control.empty()) {
    Recording kept = measure::without_arms(recording);
    kept.control = recording.control;
    control = arms_.front().stem() + "_control.json";
    ETALON_CHECKED(measure::write_recording(path_of(control), kept));
  }
  for (std::size_t i = 0; i < arms_.size(); ++i) {
    RunResult& result = arms_[i].result;
    Recording one = measure::without_arms(recording);
    one.arms = {recording.arms[i]};
    one.arms.front().name = result.experiment;  // in the session, threads were part of it
    result.samples = arms_[i].stem() + "_samples.json";
    result.control = control;
    ETALON_CHECKED(measure::write_recording(path_of(result.samples), one));
    summarize(recording.arms[i], recording.session, result);
  }
  return {};
}

// Recordings that an earlier comparison of the same programs left; all or none, since they were made in
// turns.
bool Work::adopt_recordings() {
  if (request_.fresh || measured_) return false;
  const auto earlier = analysis::read_manifest(run_dir_);
  if (!earlier.ok()) return false;
  std::vector<const RunResult*> found;
  for (const ComparedArm& arm : arms_) {
    for (const RunResult& known : earlier->results) {
      const bool same = known.key == arm.result.key && known.experiment == arm.result.experiment &&
                        known.threads == arm.result.threads && known.session == arm.result.session;
      if (same && !known.etdump.empty() && file_exists(path_of(known.etdump))) found.push_back(&known);
    }
  }
  if (found.size() != arms_.size()) return false;
  for (std::size_t i = 0; i < arms_.size(); ++i) {
    RunResult& result = arms_[i].result;
    const RunResult& known = *found[i];
    result.etdump = known.etdump;
    result.kernels = known.kernels;
    result.engine = known.engine;
    result.isa = known.isa;
    result.traced_ms = known.traced_ms;
    result.traced_median_ms = known.traced_median_ms;
    result.traced_warmup = known.traced_warmup;
    result.traced_launch_runs = known.traced_launch_runs;
  }
  return true;
}

Status Work::record() {
  if (adopt_recordings()) return {};
  measured_ = true;
  RecordingOptions options;
  options.seconds = (1 - kTimingShare) * request_.seconds;
  options.seed = recording_.seed;
  options.progress = request_.progress;
  return record_operators(run_dir_, options, arms_);
}

Status Work::save(const char* status) {
  manifest_.status = status;
  manifest_.generated_at = platform::utc_now();
  manifest_.results.clear();
  const auto earlier = analysis::read_manifest(run_dir_);
  for (const ComparedArm& arm : arms_) manifest_.results.push_back(arm.result);
  // Until new recordings are there, those that may be adopted must stay known.
  if (std::string_view(status) == "running" && !measured_ && earlier.ok()) return {};
  ETALON_CHECKED(write_file(path_of("manifest.json"), analysis::manifest_json(manifest_, run_dir_)));
  return write_file(path_of("metrics.json"), analysis::metrics_json(manifest_, run_dir_));
}

std::vector<analysis::RecordedRun> Work::views(const std::vector<analysis::Profile>& profiles) const {
  std::vector<analysis::RecordedRun> runs;
  for (std::size_t i = 0; i < arms_.size(); ++i) {
    const ComparedArm& arm = arms_[i];
    analysis::RecordedRun run;
    run.name = arm.name;
    run.result = &arm.result;
    for (const analysis::Profile& profile : profiles) {
      if (profile.experiment == arm.result.experiment && profile.threads == arm.result.threads)
        run.profile = &profile;
    }
    run.facts = &*arm.facts;
    run.recording = &recording_;
    run.arm = i;
    runs.push_back(std::move(run));
  }
  return runs;
}

void Work::compare_numbers(const std::vector<analysis::RecordedRun>& runs, std::vector<analysis::Comparison>& comparisons) {
  if (request_.progress) request_.progress("outputs", 0, arms_.size());
  const std::vector<ArmOutputs> outputs = outputs_of(arms_);
  for (std::size_t i = 0; i < comparisons.size(); ++i) {
    compare_outputs_of(outputs[0], outputs[i + 1], comparisons[i]);
    if (request_.trace && outputs[0].run && outputs[i + 1].run)
      compare_layers_of(arms_[0], arms_[i + 1], runs[i + 1].profile, run_dir_, comparisons[i]);
  }
  if (request_.progress) request_.progress("outputs", arms_.size(), arms_.size());
}

// The folder's own report, with what its files do not hold: names without what all runs share, and the
// numbers.
Result<MeasuredComparison> Work::report() {
  ETALON_TRY(analysis::Report report, analyze_and_write(run_dir_, {}));
  const std::vector<analysis::RecordedRun> runs = views(report.profiles);
  measure::JudgeOptions judge;
  judge.margin = request_.margin;
  report.comparisons.clear();
  for (std::size_t i = 1; i < runs.size(); ++i) {
    report.comparisons.push_back(analysis::compare_runs("", runs[0], runs[i], judge));
    // As the session ended, which may have looked several times.
    if (i <= judgement_.verdicts.size()) report.comparisons.back().verdict = judgement_.verdicts[i - 1];
  }
  compare_numbers(runs, report.comparisons);
  if (runs.size() > 2) report.table = analysis::table_of_runs(runs, judge);
  for (const report::Writer& writer : report::all_writers()) {
    if (writer.beside_run)
      ETALON_CHECKED(write_file(path_of(std::string(writer.file)), writer.write(report)));
  }
  return MeasuredComparison{run_dir_, std::move(report), !measured_};
}

}  // namespace

Result<MeasuredComparison> compare_programs(const CompareRequest& request) { return Work(request).run(); }

}  // namespace etalon::cli
