#include "cli/profile_context.h"

#include <fmt/core.h>
#include <fmt/format.h>

#include <cstdio>

#include "analysis/events.h"
#include "base/file.h"
#include "cli/runner_paths.h"
#include "formats/etdump/etdump.h"
#include "platform/clock.h"

namespace etalon::cli {
namespace {

using targets::RunOutcome;
using targets::RunRequest;

Status append(const std::string& path, std::string_view text) {
  std::FILE* file = std::fopen(path.c_str(), "ab");
  if (file == nullptr) return io_error(path + ": cannot write the log");
  const bool written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  if (std::fclose(file) != 0 || !written) return io_error(path + ": cannot write the log; is the disk full?");
  return {};
}

}  // namespace

std::string ProfileContext::stem_of(const ProfileUnit& unit) const {
  return analysis::artifact_stem(model_name, unit.result.experiment, unit.result.threads);
}

RunRequest ProfileContext::request_for(const ProfileUnit& unit) const {
  const measure::Experiment& experiment = *unit.experiment;
  RunRequest request;
  request.runner = unit.result.runner;
  // A configuration may name our runner by path; it then gets our flags too, so that its timing runs are not traced.
  request.own_runner = is_own_runner(unit.result.runner);
  request.model = config.model;
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
  request.log_path = log_of(unit);
  request.timeout_seconds = options.timeout_seconds;
  return request;
}

void ProfileContext::tell(std::string_view label) const {
  if (progress) progress(label, done, total);
}

Status ProfileContext::note_in_log(ProfileUnit& unit, std::string_view text) const {
  unit.result.log = stem_of(unit) + ".log";
  return append(log_of(unit), fmt::format("# {} {}\n", platform::utc_now(), text));
}

Result<RunOutcome> ProfileContext::run(ProfileUnit& unit, const RunRequest& request, std::string_view what) {
  ETALON_CHECKED(note_in_log(unit, fmt::format("{}: {}", what, fmt::join(targets::command_line(request), " "))));
  Result<RunOutcome> outcome = target.run(request);
  if (outcome.ok()) {
    if (outcome->ok) keep_identity(unit, *outcome);
    if (!outcome->ok) outcome->error = fmt::format("{}: {}", what, outcome->error);
    return outcome;
  }
  RunOutcome failed;  // the request cannot be run; the session goes on with the others
  failed.error = outcome.error().message();
  return failed;
}

Status ProfileContext::fail(ProfileUnit& unit, std::string_view error) const {
  unit.result.status = "failed";
  unit.result.error = std::string(error);
  return note_in_log(unit, fmt::format("failed: {}", error));
}

// A runner that is not ours is an executor_runner, which does not tell its version.
void ProfileContext::keep_identity(ProfileUnit& unit, const RunOutcome& outcome) {
  if (!outcome.engine.empty()) unit.result.engine = outcome.engine;
  if (!outcome.isa.empty()) unit.result.isa = outcome.isa;
  if (is_own_runner(unit.result.runner) && outcome.engine != "executorch") return;
  executorch.present = true;
  if (outcome.engine_version.empty()) return;
  executorch.version = outcome.engine_version;
  executorch.sha = outcome.engine_revision;
}

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

}  // namespace etalon::cli
