#include "cli/profile_session.h"

#include <fmt/core.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <numeric>
#include <utility>

#include "analysis/content_hash.h"
#include "analysis/events.h"
#include "analysis/kernel_log.h"
#include "analysis/run_report.h"
#include "base/file.h"
#include "cli/profile_samples.h"
#include "cli/runner_paths.h"
#include "cli/version.h"
#include "formats/etdump/etdump.h"
#include "measure/schedule.h"
#include "measure/statistics.h"
#include "platform/process.h"
#include "report/writers.h"

namespace etalon::cli {
namespace {

using analysis::RunResult;
using measure::Experiment;
using measure::Mode;
using targets::RunOutcome;
using targets::RunRequest;
using targets::Tracing;

// Enough for shares that settle; a recording of every timing run would cost disk and time for nothing.
constexpr std::uint32_t kMaxTracedRuns = 30;

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  char text[32];
  std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

// One experiment with one number of threads.
struct Unit {
  const Experiment* experiment = nullptr;
  RunResult result;
  Samples samples;
  bool reused = false;
};

class Session {
 public:
  Session(const measure::Config& config, const SessionOptions& options, targets::Target& target,
          const SessionProgress& progress)
      : config_(config), options_(options), target_(target), progress_(progress) {}

  Result<SessionOutcome> run();

 private:
  Status prepare_folder();
  Status make_units();
  Result<std::string> key_of(const Experiment& experiment, std::uint32_t threads,
                             const std::string& runner_hash) const;
  void reuse_finished();
  void keep_unselected(const analysis::Manifest& earlier);
  void plan();
  Status run_timing();
  Status run_evidence();
  Status time_launch(Unit& unit, const measure::Launch& launch);
  Status record_events(Unit& unit);
  Status record_kernels(Unit& unit);
  Status write_kernels(Unit& unit, const RunOutcome& outcome);
  void summarize_latency(Unit& unit) const;

  void note_executorch(const RunRequest& request, const RunOutcome& outcome);
  Result<RunOutcome> start(Unit& unit, RunRequest request, std::string_view what);
  RunRequest request_for(const Unit& unit) const;
  std::string path_of(const std::string& relative) const { return run_dir_ + "/" + relative; }
  std::string stem_of(const Unit& unit) const {
    return analysis::artifact_stem(model_name_, unit.result.experiment, unit.result.threads);
  }
  Status save(const char* status);

  const measure::Config& config_;
  const SessionOptions& options_;
  targets::Target& target_;
  const SessionProgress& progress_;
  std::string run_dir_;
  std::string model_name_;
  analysis::Manifest manifest_;
  std::vector<Unit> units_;
  std::vector<RunResult> kept_;            // of experiments that --only leaves alone
  std::vector<measure::Launch> launches_;  // Launch::run is an index into units_
  std::size_t done_ = 0;
  std::size_t total_ = 0;
};

Status Session::prepare_folder() {
  model_name_ = measure::model_name_of(config_.model);
  run_dir_ = config_.output_root.empty() ? measure::default_output_root(config_.model, target_.system_name())
                                         : config_.output_root;
  while (run_dir_.size() > 1 && run_dir_.back() == '/') run_dir_.pop_back();
  ETALON_CHECKED(make_directories(run_dir_));
  manifest_.tool = fmt::format("etalon {}", kVersion);
  manifest_.model.path = config_.model;
  ETALON_TRY(manifest_.model.hash, analysis::hash_file(config_.model));
  ETALON_TRY(const MappedFile model, MappedFile::open(config_.model));
  manifest_.model.size_bytes = model.bytes().size();
  if (!config_.path.empty()) {
    manifest_.config.path = config_.path;
    ETALON_TRY(manifest_.config.hash, analysis::hash_file(config_.path));
  }
  manifest_.platform = config_.platform;
  manifest_.design = measure::design_name(config_.design);
  manifest_.device = target_.facts();
  manifest_.categories = config_.categories;
  for (const measure::ComparePair& pair : config_.compare_pairs) {
    manifest_.compare_pairs.push_back({pair.label, pair.baseline.experiment, pair.baseline.threads,
                                       pair.candidate.experiment, pair.candidate.threads});
  }
  return {};
}

Result<std::string> Session::key_of(const Experiment& experiment, std::uint32_t threads,
                                    const std::string& runner_hash) const {
  std::string text =
      fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n{:x}\n{}\n{}\n", manifest_.model.hash, runner_hash,
                  experiment.name, measure::mode_name(experiment.mode), experiment.runs, experiment.warmup,
                  threads, experiment.engine, experiment.isa, experiment.cpu_mask,
                  measure::design_name(config_.design), fmt::join(experiment.extra_args, "\x1f"));
  for (const auto& [name, value] : experiment.environment) text += fmt::format("{}={}\n", name, value);
  for (const std::string& input : experiment.inputs) {
    ETALON_TRY(const std::string hash, analysis::hash_file(input));
    text += hash + "\n";
  }
  return analysis::sha256_hex(text).substr(0, 32);
}

Status Session::make_units() {
  std::map<std::string, std::string> hashes;  // of runners
  for (const Experiment& experiment : config_.experiments) {
    if (!options_.only.empty() &&
        std::find(options_.only.begin(), options_.only.end(), experiment.name) == options_.only.end()) {
      continue;
    }
    std::string runner = experiment.runner_path;
    if (runner.empty()) {
      ETALON_TRY(runner, experiment.engine == "executorch" ? executorch_runner_path() : own_runner_path());
    }
    if (hashes.count(runner) == 0 && file_exists(runner)) {
      ETALON_TRY(hashes[runner], analysis::hash_file(runner));
    }
    for (const std::uint32_t threads : experiment.threads) {
      Unit unit;
      unit.experiment = &experiment;
      unit.result.experiment = experiment.name;
      unit.result.threads = threads;
      unit.result.mode = measure::mode_name(experiment.mode);
      unit.result.status = "pending";
      unit.result.runner = runner;
      unit.result.engine = experiment.engine;
      unit.result.isa = experiment.isa;
      unit.result.isa_wanted = experiment.isa;
      unit.result.runs = experiment.runs;
      unit.result.warmup = experiment.warmup;
      ETALON_TRY(unit.result.key, key_of(experiment, threads, hashes[runner]));
      units_.push_back(std::move(unit));
    }
    ETALON_CHECKED(make_directories(path_of(experiment.name)));
  }
  if (units_.empty())
    return invalid_input("no experiment is left to run; --only names none of those in the file");
  return {};
}

bool files_exist(const std::string& run_dir, const RunResult& result) {
  for (const std::string& file : {result.etdump, result.log, result.kernels, result.samples}) {
    if (!file.empty() && !file_exists(run_dir + "/" + file)) return false;
  }
  return true;
}

void Session::keep_unselected(const analysis::Manifest& earlier) {
  for (const RunResult& known : earlier.results) {
    const bool selected = std::any_of(units_.begin(), units_.end(), [&](const Unit& unit) {
      return unit.result.experiment == known.experiment;
    });
    const bool configured =
        std::any_of(config_.experiments.begin(), config_.experiments.end(),
                    [&](const Experiment& experiment) { return experiment.name == known.experiment; });
    if (selected || !configured || earlier.model.hash != manifest_.model.hash) continue;
    kept_.push_back(known);
    manifest_.executorch = earlier.executorch;
  }
}

void Session::reuse_finished() {
  const auto earlier = analysis::read_manifest(run_dir_);
  if (earlier.ok()) keep_unselected(*earlier);
  if (options_.fresh) return;
  for (Unit& unit : units_) {
    if (earlier.ok()) {
      for (const RunResult& known : earlier->results) {
        if (known.key != unit.result.key || known.status != "ok" || !files_exist(run_dir_, known)) continue;
        unit.result = known;
        unit.reused = true;
        manifest_.executorch = earlier->executorch;
      }
    }
    if (!unit.reused) unit.samples = read_samples(path_of(stem_of(unit) + "_samples.json"), unit.result.key);
  }
}

void Session::plan() {
  manifest_.seed = 0;
  for (const char digit : manifest_.model.hash.substr(7, 8))
    manifest_.seed = manifest_.seed * 31 + static_cast<unsigned char>(digit);
  std::vector<std::uint32_t> iterations;
  std::vector<std::size_t> indices;
  for (std::size_t i = 0; i < units_.size(); ++i) {
    if (units_[i].experiment->mode != Mode::kTiming) continue;
    iterations.push_back(units_[i].experiment->runs);
    indices.push_back(i);
  }
  for (measure::Launch launch : measure::schedule_launches(iterations, config_.design, manifest_.seed)) {
    launch.run = indices[launch.run];
    const Unit& unit = units_[launch.run];
    const bool finished =
        std::any_of(unit.samples.launches.begin(), unit.samples.launches.end(),
                    [&](const LaunchSamples& known) { return known.round == launch.round; });
    if (!unit.reused && !finished) launches_.push_back(launch);
  }
  total_ = launches_.size();
  for (const Unit& unit : units_) total_ += unit.reused ? 0 : 1;
}

RunRequest Session::request_for(const Unit& unit) const {
  const Experiment& experiment = *unit.experiment;
  RunRequest request;
  request.runner = unit.result.runner;
  // A configuration may name our runner by path; it then gets our flags too, so that its timing runs are not traced.
  request.own_runner = is_own_runner(unit.result.runner);
  request.model = config_.model;
  request.iterations = experiment.runs;
  request.warmup = experiment.warmup;
  request.threads = unit.result.threads;
  request.engine = experiment.engine;
  request.isa = experiment.isa;
  request.inputs = experiment.inputs;
  request.extra_args = experiment.extra_args;
  request.environment = experiment.environment;
  request.cpu_mask = experiment.cpu_mask;
  request.scratch_path = path_of(stem_of(unit)) + ".scratch";
  request.etdump_path = request.scratch_path + ".etdump";
  request.log_path = path_of(stem_of(unit)) + ".log";
  request.timeout_seconds = options_.timeout_seconds;
  return request;
}

Status append_log(const std::string& path, std::string_view text) {
  std::FILE* file = std::fopen(path.c_str(), "ab");
  if (file == nullptr) return io_error(path + ": cannot write the log");
  const bool written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  if (std::fclose(file) != 0 || !written) return io_error(path + ": cannot write the log; is the disk full?");
  return {};
}

// A runner that is not ours is an executor_runner, which does not tell its version.
void Session::note_executorch(const RunRequest& request, const RunOutcome& outcome) {
  if (request.own_runner && outcome.engine != "executorch") return;
  manifest_.executorch.present = true;
  if (outcome.engine_version.empty()) return;
  manifest_.executorch.version = outcome.engine_version;
  manifest_.executorch.sha = outcome.engine_revision;
}

Result<RunOutcome> Session::start(Unit& unit, RunRequest request, std::string_view what) {
  if (progress_) progress_(analysis::run_name(unit.result.experiment, unit.result.threads), done_, total_);
  unit.result.log = stem_of(unit) + ".log";
  if (unit.result.status == "pending") {
    if (unit.samples.launches.empty()) ::unlink(request.log_path.c_str());  // of an earlier session
    unit.result.status = "running";
  }
  ETALON_CHECKED(append_log(request.log_path, fmt::format("# {} {}: {}\n", utc_now(), what,
                                                          fmt::join(targets::command_line(request), " "))));
  Result<RunOutcome> outcome = target_.run(request);
  ++done_;
  if (!outcome.ok()) {
    unit.result.status = "failed";
    unit.result.error = outcome.error().message();
  } else if (!outcome->ok) {
    unit.result.status = "failed";
    unit.result.error = fmt::format("{}: {}", what, outcome->error);
  }
  if (unit.result.status == "failed") {
    ETALON_CHECKED(
        append_log(request.log_path, fmt::format("# {} failed: {}\n", utc_now(), unit.result.error)));
  }
  if (outcome.ok() && outcome->ok) note_executorch(request, *outcome);
  if (!outcome.ok()) return RunOutcome();  // the run failed; the session goes on
  return outcome;
}

// Executions in a recording, by the blocks that hold one; and their times.
std::vector<double> recorded_ms(const std::string& path) {
  std::vector<double> out;
  const auto file = MappedFile::open(path);
  if (!file.ok()) return out;
  const auto dump = formats::etdump::decode(file->bytes());
  if (!dump.ok()) return out;
  for (const auto& run : dump->runs) {
    const analysis::TimedRun timed = analysis::time_run(run);
    if (timed.is_execution) out.push_back(static_cast<double>(timed.total_ns()) / 1e6);
  }
  return out;
}

// Runners built without logging print no times, but those that record events leave them in the file.
void times_from_recording(const RunRequest& request, RunOutcome& outcome) {
  if (!outcome.ok || (!outcome.runs_ms.empty() && !outcome.runs_are_means)) return;
  std::vector<double> all = recorded_ms(request.etdump_path);
  if (all.size() <= request.warmup) return;
  outcome.first_ms = all.front();
  outcome.runs_are_means = false;
  outcome.runs_ms.assign(all.begin() + static_cast<std::ptrdiff_t>(request.warmup), all.end());
}

Status Session::time_launch(Unit& unit, const measure::Launch& launch) {
  RunRequest request = request_for(unit);
  request.iterations = launch.iterations;
  LaunchSamples samples;
  samples.round = launch.round;
  samples.started_at = utc_now();
  ETALON_TRY(RunOutcome outcome, start(unit, request, fmt::format("timing launch {}", launch.round + 1)));
  times_from_recording(request, outcome);
  const bool traced = file_exists(request.etdump_path);
  ::unlink(request.etdump_path.c_str());
  if (unit.result.status == "failed") return {};
  if (outcome.runs_ms.empty()) {
    unit.result.status = "failed";
    unit.result.error =
        "the runner printed no times; build it with EXECUTORCH_ENABLE_LOGGING=ON or with the event tracer";
    return {};
  }
  samples.warmup_ms = std::move(outcome.warmup_ms);
  samples.runs_ms = std::move(outcome.runs_ms);
  samples.first_ms = outcome.first_ms;
  samples.load_ms = outcome.load_ms;
  samples.peak_rss_bytes = outcome.peak_rss_bytes;
  if (!outcome.engine.empty()) unit.result.engine = outcome.engine;
  if (!outcome.isa.empty()) unit.result.isa = outcome.isa;
  unit.samples.key = unit.result.key;
  unit.samples.experiment = unit.result.experiment;
  unit.samples.threads = unit.result.threads;
  unit.samples.traced = unit.samples.traced || traced;
  unit.samples.launches.push_back(std::move(samples));
  unit.result.samples = stem_of(unit) + "_samples.json";
  return write_samples(path_of(unit.result.samples), unit.samples);
}

Status Session::run_timing() {
  for (const measure::Launch& launch : launches_) {
    Unit& unit = units_[launch.run];
    if (unit.result.status == "failed") {
      ++done_;
      continue;
    }
    ETALON_CHECKED(time_launch(unit, launch));
  }
  for (Unit& unit : units_) {
    if (!unit.reused && !unit.samples.launches.empty()) summarize_latency(unit);
  }
  return save("running");
}

std::optional<double> median_of(std::vector<double> values) {
  if (values.empty()) return std::nullopt;
  return measure::summarize(values).median;
}

void Session::summarize_latency(Unit& unit) const {
  RunResult& result = unit.result;
  result.samples = stem_of(unit) + "_samples.json";
  std::vector<double> first;
  std::vector<double> load;
  std::vector<double> memory;
  result.latency_ms.clear();
  for (const LaunchSamples& launch : unit.samples.launches) {
    result.latency_ms.insert(result.latency_ms.end(), launch.runs_ms.begin(), launch.runs_ms.end());
    if (launch.first_ms) first.push_back(*launch.first_ms);
    if (launch.load_ms) load.push_back(*launch.load_ms);
    if (launch.peak_rss_bytes) memory.push_back(*launch.peak_rss_bytes);
  }
  const measure::Summary summary = measure::summarize(result.latency_ms);
  result.median_ms = summary.median;
  result.mean_ms = summary.mean;
  result.min_ms = summary.min;
  result.max_ms = summary.max;
  result.p95_ms = summary.p95;
  if (summary.count > 1) result.stdev_ms = summary.stdev;
  if (summary.count > 1) result.cv_percent = summary.cv_percent;
  result.first_ms = median_of(first);
  result.load_ms = median_of(load);
  if (!memory.empty()) result.peak_rss_bytes = *std::max_element(memory.begin(), memory.end());
  result.timing_was_traced = unit.samples.traced;
}

Status Session::record_events(Unit& unit) {
  RunRequest request = request_for(unit);
  request.tracing = Tracing::kOps;
  request.iterations = std::min(unit.experiment->runs, kMaxTracedRuns);
  const std::string relative = stem_of(unit) + ".etdump";
  ::unlink(request.etdump_path.c_str());
  ETALON_TRY(RunOutcome outcome, start(unit, request, "traced run"));
  if (unit.result.status == "failed") {
    ::unlink(request.etdump_path.c_str());
    return {};
  }
  const std::size_t executions = recorded_ms(request.etdump_path).size();
  if (executions == 0) {
    ::unlink(request.etdump_path.c_str());
    // A runner without the event tracer still gives latency; a run that was to give operators did not.
    if (unit.experiment->mode == Mode::kOps) {
      unit.result.status = "failed";
      unit.result.error = "the runner recorded no events; build it with EXECUTORCH_ENABLE_EVENT_TRACER=ON";
    }
    return {};
  }
  // Renamed only when it is whole, so that a recording beside results is always theirs.
  if (std::rename(request.etdump_path.c_str(), path_of(relative).c_str()) != 0) {
    return io_error(path_of(relative) + ": cannot rename the recording into place");
  }
  unit.result.etdump = relative;
  unit.result.traced_warmup = executions > request.iterations ? executions - request.iterations : 0;
  if (!outcome.runs_ms.empty() && !outcome.runs_are_means) {
    const measure::Summary summary = measure::summarize(outcome.runs_ms);
    unit.result.traced_ms = summary.mean;
    unit.result.traced_median_ms = summary.median;
  }
  if (!unit.result.load_ms) unit.result.load_ms = outcome.load_ms;
  return outcome.kernels.empty() ? Status() : write_kernels(unit, outcome);
}

// What the runner itself tells, one row per operator; without that, what its log names.
std::vector<analysis::KernelRow> kernels_of(const RunOutcome& outcome) {
  if (outcome.kernels.empty()) return analysis::kernels_in_log(outcome.output);
  std::vector<analysis::KernelRow> rows;
  for (const targets::KernelUse& use : outcome.kernels) {
    analysis::KernelRow row = analysis::kernel_row(use.kernel);
    row.category = row.op.empty() ? std::string(analysis::operator_base_name(use.operation)) : row.op;
    if (row.op.empty()) row.op = use.operation;
    if (row.arch.empty()) row.arch = use.isa;
    if (row.shape.empty()) row.shape = use.tile;
    row.instruction = use.instruction;
    row.operation = use.operation;
    row.isa = use.isa;
    row.wanted_isa = use.wanted_isa;
    row.reason = use.reason;
    row.tile = use.tile;
    row.operator_shape = use.shape;
    row.threads = use.threads;
    rows.push_back(std::move(row));
  }
  return rows;
}

Status Session::write_kernels(Unit& unit, const RunOutcome& outcome) {
  unit.result.kernels = stem_of(unit) + "_kernels.csv";
  const std::string id = stem_of(unit).substr(stem_of(unit).rfind('/') + 1);
  return write_file(path_of(unit.result.kernels), report::write_kernels_csv(id, kernels_of(outcome)));
}

Status Session::record_kernels(Unit& unit) {
  RunRequest request = request_for(unit);
  request.tracing = Tracing::kKernels;
  request.iterations = 1;  // kernels are chosen at load; more runs tell nothing new
  ETALON_TRY(const RunOutcome outcome, start(unit, request, "kernel run"));
  ::unlink(request.etdump_path.c_str());
  if (unit.result.status == "failed") return {};
  if (!outcome.engine.empty()) unit.result.engine = outcome.engine;
  if (!outcome.isa.empty()) unit.result.isa = outcome.isa;
  return write_kernels(unit, outcome);
}

Status Session::run_evidence() {
  for (Unit& unit : units_) {
    if (unit.reused) continue;
    if (unit.result.status == "failed") {
      ++done_;
      continue;
    }
    ETALON_CHECKED(measure::is_kernel_mode(unit.experiment->mode) ? record_kernels(unit)
                                                                  : record_events(unit));
    if (unit.result.status != "failed") unit.result.status = "ok";
    ETALON_CHECKED(save("running"));
  }
  return {};
}

Status Session::save(const char* status) {
  manifest_.status = status;
  manifest_.generated_at = utc_now();
  manifest_.results.clear();
  for (const Unit& unit : units_) manifest_.results.push_back(unit.result);
  manifest_.results.insert(manifest_.results.end(), kept_.begin(), kept_.end());
  ETALON_CHECKED(write_file(path_of("manifest.json"), analysis::manifest_json(manifest_, run_dir_)));
  return write_file(path_of("metrics.json"), analysis::metrics_json(manifest_, run_dir_));
}

Result<SessionOutcome> Session::run() {
  ETALON_CHECKED(prepare_folder());
  ETALON_CHECKED(make_units());
  reuse_finished();
  plan();
  ETALON_CHECKED(run_timing());
  ETALON_CHECKED(run_evidence());
  SessionOutcome outcome;
  for (const Unit& unit : units_) {
    outcome.reused += unit.reused ? 1 : 0;
    outcome.failed += unit.result.status == "failed" ? 1 : 0;
  }
  ETALON_CHECKED(save(outcome.failed > 0 ? "failed" : "complete"));
  if (progress_) progress_("", total_, total_);
  outcome.run_dir = run_dir_;
  outcome.manifest = manifest_;
  return outcome;
}

}  // namespace

Result<SessionOutcome> run_session(const measure::Config& config, const SessionOptions& options,
                                   targets::Target& target, const SessionProgress& progress) {
  return Session(config, options, target, progress).run();
}

}  // namespace etalon::cli
