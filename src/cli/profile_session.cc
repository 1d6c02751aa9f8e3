#include "cli/profile_session.h"

#include <fmt/core.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "analysis/content_hash.h"
#include "analysis/run_report.h"
#include "base/file.h"
#include "cli/profile_context.h"
#include "cli/profile_timing.h"
#include "cli/profile_tracing.h"
#include "cli/runner_paths.h"
#include "cli/version.h"
#include "measure/preflight.h"
#include "platform/clock.h"

namespace etalon::cli {
namespace {

using analysis::RunResult;
using measure::Experiment;

std::string_view name_of(measure::Concern concern) {
  switch (concern) {
    case measure::Concern::kNote:
      return "note";
    case measure::Concern::kWarning:
      return "warning";
    case measure::Concern::kRefuse:
      return "refuse";
  }
  return "note";
}

class Session {
 public:
  Session(const measure::Config& config, const SessionOptions& options, targets::Target& target,
          const SessionProgress& progress)
      : config_(config), options_(options), target_(target), context_{config, options, target, progress} {}

  Result<SessionOutcome> run();

 private:
  Status prepare_folder();
  void look_at_machine();
  Status make_units();
  Result<std::string> key_of(const Experiment& experiment, std::uint32_t threads,
                             const std::string& runner_hash) const;
  void reuse_finished();
  void keep_unselected(const analysis::Manifest& earlier);
  std::set<std::string> closed_sessions() const;
  void count_steps();
  Status run_timing();
  Status run_evidence();
  void note_sessions();
  Status save(const char* status);

  std::vector<ProfileUnit*> pending(bool (*wanted)(const ProfileUnit&));
  std::string path_of(const std::string& relative) const { return context_.path_of(relative); }

  const measure::Config& config_;
  const SessionOptions& options_;
  targets::Target& target_;
  ProfileContext context_;
  analysis::Manifest manifest_;
  std::vector<ProfileUnit> units_;
  std::vector<RunResult> kept_;  // of experiments that --only leaves alone
};

Status Session::prepare_folder() {
  context_.model_name = measure::model_name_of(config_.model);
  context_.run_dir = config_.output_root.empty() ? measure::default_output_root(config_.model, target_.system_name())
                                         : config_.output_root;
  while (context_.run_dir.size() > 1 && context_.run_dir.back() == '/') context_.run_dir.pop_back();
  ETALON_CHECKED(make_directories(context_.run_dir));
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
  for (const char digit : manifest_.model.hash.substr(7, 8)) {
    context_.seed = context_.seed * 31 + static_cast<unsigned char>(digit);
  }
  manifest_.seed = context_.seed;
  return {};
}

// A machine elsewhere is looked at by its own runner.
void Session::look_at_machine() {
  if (!target_.is_local()) return;
  std::uint32_t threads = 1;
  for (const ProfileUnit& unit : units_) threads = std::max(threads, unit.result.threads);
  const measure::MachineState state = measure::read_machine_state();
  manifest_.machine_json = measure::machine_state_to_json(state);
  for (const measure::PreflightFinding& finding : measure::examine(state, threads)) {
    manifest_.concerns.push_back({std::string(finding.id), std::string(name_of(finding.concern)), finding.found,
                                  std::string(finding.why), std::string(finding.fix)});
  }
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
      ProfileUnit unit;
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
  for (const std::string& file : {result.etdump, result.log, result.kernels, result.samples,
                                  result.control}) {
    if (!file.empty() && !file_exists(run_dir + "/" + file)) return false;
  }
  return true;
}

void Session::keep_unselected(const analysis::Manifest& earlier) {
  for (const RunResult& known : earlier.results) {
    const bool selected = std::any_of(units_.begin(), units_.end(), [&](const ProfileUnit& unit) {
      return unit.result.experiment == known.experiment;
    });
    const bool configured =
        std::any_of(config_.experiments.begin(), config_.experiments.end(),
                    [&](const Experiment& experiment) { return experiment.name == known.experiment; });
    if (selected || !configured || earlier.model.hash != manifest_.model.hash) continue;
    kept_.push_back(known);
    context_.executorch = earlier.executorch;
  }
}

void Session::reuse_finished() {
  const auto earlier = analysis::read_manifest(context_.run_dir);
  if (earlier.ok()) keep_unselected(*earlier);
  if (options_.fresh) return;
  for (ProfileUnit& unit : units_) {
    if (earlier.ok()) {
      for (const RunResult& known : earlier->results) {
        if (known.key != unit.result.key || known.status != "ok" || !files_exist(context_.run_dir, known)) continue;
        unit.result = known;
        unit.reused = true;
        context_.executorch = earlier->executorch;
      }
    }
  }
}

std::vector<ProfileUnit*> Session::pending(bool (*wanted)(const ProfileUnit&)) {
  std::vector<ProfileUnit*> found;
  for (ProfileUnit& unit : units_) {
    if (!unit.reused && !unit.failed() && wanted(unit)) found.push_back(&unit);
  }
  return found;
}

bool is_timed(const ProfileUnit& unit) { return unit.is_timed(); }
bool is_kernel_run(const ProfileUnit& unit) { return measure::is_kernel_mode(unit.experiment->mode); }
bool is_traced(const ProfileUnit& unit) { return !is_kernel_run(unit); }

// Of results that stay as they are.
std::set<std::string> Session::closed_sessions() const {
  std::set<std::string> sessions;
  for (const RunResult& result : kept_) sessions.insert(result.session);
  for (const ProfileUnit& unit : units_) {
    if (unit.reused) sessions.insert(unit.result.session);
  }
  sessions.erase("");
  return sessions;
}

void Session::count_steps() {
  context_.total = timing_steps(context_, pending(is_timed));
  for (const ProfileUnit* unit : pending(is_traced)) context_.total += trace_plan_of(*unit).launches;
  context_.total += pending(is_kernel_run).size();
}

Status Session::run_timing() {
  ETALON_CHECKED(time_units(context_, pending(is_timed), closed_sessions()));
  return save("running");
}

Status Session::run_evidence() {
  for (ProfileUnit* unit : pending(is_traced)) {
    if (!unit->is_timed()) ::unlink(context_.log_of(*unit).c_str());  // of an earlier session
  }
  ETALON_CHECKED(trace_units(context_, pending(is_traced)));
  for (ProfileUnit* unit : pending(is_traced)) unit->result.status = "ok";
  ETALON_CHECKED(save("running"));
  for (ProfileUnit* unit : pending(is_kernel_run)) {
    ::unlink(context_.log_of(*unit).c_str());
    ETALON_CHECKED(record_kernels(context_, *unit));
    if (!unit->failed()) unit->result.status = "ok";
    ETALON_CHECKED(save("running"));
  }
  return {};
}

// Differences between sessions carry whatever changed in the meantime, and whoever reads them must know.
void Session::note_sessions() {
  std::vector<RunResult> all = kept_;
  for (const ProfileUnit& unit : units_) all.push_back(unit.result);
  std::set<std::string> sessions;
  for (const RunResult& result : all) {
    if (!result.session.empty()) sessions.insert(result.session);
  }
  if (sessions.size() < 2) return;
  manifest_.notes.push_back(
      config_.design == measure::Design::kSequential
          ? "experiments ran one after the other, as `design` asks: differences below 5 % between them are not believed"
          : "some experiments were measured in different sessions: differences below 5 % between those are not "
            "believed; --fresh measures all of them together");
}

Status Session::save(const char* status) {
  manifest_.status = status;
  manifest_.generated_at = platform::utc_now();
  manifest_.executorch = context_.executorch;
  manifest_.results.clear();
  for (const ProfileUnit& unit : units_) manifest_.results.push_back(unit.result);
  manifest_.results.insert(manifest_.results.end(), kept_.begin(), kept_.end());
  ETALON_CHECKED(write_file(path_of("manifest.json"), analysis::manifest_json(manifest_, context_.run_dir)));
  return write_file(path_of("metrics.json"), analysis::metrics_json(manifest_, context_.run_dir));
}

Result<SessionOutcome> Session::run() {
  ETALON_CHECKED(prepare_folder());
  ETALON_CHECKED(make_units());
  look_at_machine();
  reuse_finished();
  count_steps();
  ETALON_CHECKED(run_timing());
  ETALON_CHECKED(run_evidence());
  note_sessions();
  SessionOutcome outcome;
  for (const ProfileUnit& unit : units_) {
    outcome.reused += unit.reused ? 1 : 0;
    outcome.failed += unit.failed() ? 1 : 0;
  }
  ETALON_CHECKED(save(outcome.failed > 0 ? "failed" : "complete"));
  context_.done = context_.total;
  context_.tell("");
  outcome.run_dir = context_.run_dir;
  outcome.manifest = manifest_;
  return outcome;
}

}  // namespace

Result<SessionOutcome> run_session(const measure::Config& config, const SessionOptions& options,
                                   targets::Target& target, const SessionProgress& progress) {
  return Session(config, options, target, progress).run();
}

}  // namespace etalon::cli
