#include "cli/compare/recorded_runs.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>

#include "analysis/events.h"
#include "analysis/kernel_log.h"
#include "analysis/taxonomy.h"
#include "base/file.h"
#include "cli/told_kernels.h"
#include "formats/etdump/etdump.h"
#include "measure/random.h"
#include "measure/schedule.h"
#include "measure/statistics.h"
#include "report/writers.h"
#include "targets/target.h"

namespace etalon::cli {
namespace {

using formats::etdump::EtDump;
using targets::RunOutcome;
using targets::RunRequest;

// Screening dozens of operators at once needs more launches than one verdict does: with 6, no p-value can be
// below 0.03.
constexpr std::uint32_t kMostLaunches = 12;
constexpr std::uint32_t kFewestLaunches = 6;
constexpr std::uint32_t kMostRuns = 10;
constexpr std::uint32_t kFewestRuns = 2;
constexpr double kLaunchMilliseconds = 150;  // of recorded runs, about
constexpr double kProcessMilliseconds = 30;  // to start and end one

struct Traced {
  std::uint32_t runs = kMostRuns;
  std::uint32_t warmup = 3;
  EtDump joined;
  std::vector<double> runs_ms;
};

Traced plan_of(const ComparedArm& arm) {
  Traced traced;
  const double run_ms = std::max(arm.result.median_ms.value_or(1), 1e-3);
  traced.runs =
      static_cast<std::uint32_t>(std::clamp<double>(kLaunchMilliseconds / run_ms, kFewestRuns, kMostRuns));
  traced.warmup = std::clamp(traced.runs / 2, 1U, 5U);
  return traced;
}

std::uint32_t launches_within(double seconds, const std::vector<ComparedArm>& arms,
                              const std::vector<Traced>& plans) {
  double round_ms = 0;
  for (std::size_t i = 0; i < arms.size(); ++i) {
    round_ms += kProcessMilliseconds + arms[i].result.load_ms.value_or(0) +
                arms[i].result.median_ms.value_or(0) * (plans[i].runs + plans[i].warmup);
  }
  return static_cast<std::uint32_t>(
      std::clamp<double>(seconds * 1e3 / round_ms, kFewestLaunches, kMostLaunches));
}

RunRequest request_for(const std::string& run_dir, const ComparedArm& arm, const Traced& plan) {
  RunRequest request;
  request.runner = arm.result.runner;
  request.model = arm.request.model;
  request.iterations = plan.runs;
  request.warmup = plan.warmup;
  request.threads = arm.request.threads;
  request.engine = arm.request.engine;
  request.isa = arm.request.isa;
  request.inputs = arm.request.inputs;
  request.extra_args = arm.request.extra_args;
  request.environment = arm.request.environment;
  request.cpu_mask = arm.request.cpu_mask;
  request.tracing = targets::Tracing::kOps;
  request.scratch_path = run_dir + "/" + arm.stem() + ".scratch";
  request.etdump_path = request.scratch_path + ".etdump";
  request.log_path = run_dir + "/" + arm.result.log;
  request.timeout_seconds = arm.request.timeout_seconds;
  return request;
}

Result<std::uint64_t> take_recording(const std::string& path, Traced& traced) {
  ETALON_TRY(const MappedFile file, MappedFile::open(path));
  ETALON_TRY(EtDump dump, formats::etdump::decode(file.bytes()), path);
  std::uint64_t executions = 0;
  for (const auto& run : dump.runs) executions += analysis::time_run(run).is_execution ? 1 : 0;
  traced.joined.version = dump.version;
  traced.joined.runs.insert(traced.joined.runs.end(), std::make_move_iterator(dump.runs.begin()),
                            std::make_move_iterator(dump.runs.end()));
  return executions;
}

// Which kernels run is decided at load and is the same in every process.
Status keep_evidence(const std::string& run_dir, const RunOutcome& outcome, ComparedArm& arm) {
  if (!outcome.engine.empty()) arm.result.engine = outcome.engine;
  if (!outcome.isa.empty()) arm.result.isa = outcome.isa;
  if (outcome.kernels.empty()) return {};
  arm.result.kernels = arm.stem() + "_kernels.csv";
  const std::string id = arm.stem().substr(arm.stem().rfind('/') + 1);
  return write_file(run_dir + "/" + arm.result.kernels, report::write_kernels_csv(id, told_kernels(outcome)));
}

Status record_once(const std::string& run_dir, ComparedArm& arm, Traced& traced) {
  const RunRequest request = request_for(run_dir, arm, traced);
  ::unlink(request.etdump_path.c_str());
  targets::HostTarget target;
  ETALON_TRY(const RunOutcome outcome, target.run(request), arm.name);
  if (!outcome.ok) {
    ::unlink(request.etdump_path.c_str());
    return run_failed(fmt::format("{}: {}", arm.name, outcome.error));
  }
  const auto executions = take_recording(request.etdump_path, traced);
  ::unlink(request.etdump_path.c_str());
  if (!executions.ok()) return run_failed(fmt::format("{}: {}", arm.name, executions.error().message()));
  if (*executions == 0) return run_failed(fmt::format("{}: the runner recorded no execution", arm.name));
  arm.result.traced_launch_runs.push_back(*executions);
  arm.result.traced_warmup = *executions > request.iterations ? *executions - request.iterations : 0;
  traced.runs_ms.insert(traced.runs_ms.end(), outcome.runs_ms.begin(), outcome.runs_ms.end());
  return arm.result.traced_launch_runs.size() == 1 ? keep_evidence(run_dir, outcome, arm) : Status();
}

Status write_recording(const std::string& run_dir, const Traced& traced, ComparedArm& arm) {
  ETALON_TRY(const std::vector<std::byte> bytes, formats::etdump::encode(traced.joined), arm.name);
  arm.result.etdump = arm.stem() + ".etdump";
  ETALON_CHECKED(write_file(run_dir + "/" + arm.result.etdump, bytes));
  if (traced.runs_ms.empty()) return {};
  const measure::Summary summary = measure::summarize(traced.runs_ms);
  arm.result.traced_ms = summary.mean;
  arm.result.traced_median_ms = summary.median;
  return {};
}

}  // namespace

Status record_operators(const std::string& run_dir, const RecordingOptions& options,
                        std::vector<ComparedArm>& arms) {
  std::vector<Traced> traced;
  for (ComparedArm& arm : arms) {
    traced.push_back(plan_of(arm));
    arm.result.traced_launch_runs.clear();
  }
  const std::uint32_t launches = launches_within(options.seconds, arms, traced);
  const auto orders = measure::draw_rounds(arms.size(), launches, measure::derived_seed(options.seed, 1));
  std::size_t done = 0;
  for (const auto& order : orders) {
    for (const std::size_t i : order) {
      if (options.progress) options.progress("operators of " + arms[i].name, done++, launches * arms.size());
      ETALON_CHECKED(record_once(run_dir, arms[i], traced[i]));
    }
  }
  if (options.progress) options.progress("operators", done, done);
  for (std::size_t i = 0; i < arms.size(); ++i) ETALON_CHECKED(write_recording(run_dir, traced[i], arms[i]));
  return {};
}

}  // namespace etalon::cli
