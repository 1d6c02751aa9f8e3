#include "cli/profile_tracing.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "analysis/events.h"
#include "analysis/kernel_log.h"
#include "analysis/run_report.h"
#include "base/file.h"
#include "cli/told_kernels.h"
#include "formats/etdump/etdump.h"
#include "measure/random.h"
#include "measure/schedule.h"
#include "measure/statistics.h"
#include "report/writers.h"

namespace etalon::cli {
namespace {

using formats::etdump::EtDump;
using targets::RunOutcome;
using targets::RunRequest;
using targets::Tracing;

constexpr std::uint32_t kMostLaunches = 6;  // the fewest that a signed-rank test can work with
constexpr std::uint32_t kMostRuns = 10;     // of each
constexpr std::uint32_t kFewestRuns = 3;
constexpr double kLaunchMilliseconds = 500;  // about, of recorded runs, where models are slow
constexpr std::uint64_t kTraceSeed = 0x7A;

std::uint32_t runs_within(double milliseconds, double run_ms) {
  const double runs = run_ms > 0 ? milliseconds / run_ms : kMostRuns;
  return static_cast<std::uint32_t>(std::clamp<double>(runs, kFewestRuns, kMostRuns));
}

// The recordings of one unit, as they come.
struct Trace {
  ProfileUnit* unit = nullptr;
  TracePlan plan;
  bool over = false;  // failed, or the runner records nothing
  EtDump joined;
  std::vector<std::byte> first;  // as the first process wrote it
  std::vector<std::uint64_t> launch_runs;
  std::vector<double> runs_ms;
  RunOutcome outcome;  // of the first process
};

std::uint64_t executions_in(const EtDump& dump) {
  std::uint64_t count = 0;
  for (const auto& run : dump.runs) count += analysis::time_run(run).is_execution ? 1 : 0;
  return count;
}

// A recording that cannot be read is as none.
std::uint64_t take_recording(const std::string& path, Trace& trace) {
  const auto file = MappedFile::open(path);
  if (!file.ok()) return 0;
  auto dump = formats::etdump::decode(file->bytes());
  if (!dump.ok()) return 0;
  const std::uint64_t executions = executions_in(*dump);
  if (executions == 0) return 0;
  if (trace.launch_runs.empty()) {
    trace.first.assign(file->bytes().begin(), file->bytes().end());
    trace.joined.version = dump->version;
  }
  trace.joined.runs.insert(trace.joined.runs.end(), std::make_move_iterator(dump->runs.begin()),
                           std::make_move_iterator(dump->runs.end()));
  trace.launch_runs.push_back(executions);
  return executions;
}

// A runner without the event tracer still gives latency; a run that was to give operators did not.
Status give_up(ProfileContext& context, Trace& trace) {
  trace.over = true;
  if (trace.unit->is_timed()) return {};
  return context.fail(*trace.unit,
                      "the runner recorded no events; build it with EXECUTORCH_ENABLE_EVENT_TRACER=ON");
}

Status trace_once(ProfileContext& context, Trace& trace, std::uint32_t round) {
  ProfileUnit& unit = *trace.unit;
  RunRequest request = context.request_for(unit);
  request.tracing = Tracing::kOps;
  request.iterations = trace.plan.runs;
  request.warmup = trace.plan.warmup;
  ::unlink(request.etdump_path.c_str());
  ETALON_TRY(RunOutcome outcome, context.run(unit, request, fmt::format("traced launch {}", round + 1)));
  if (!outcome.ok) {
    ::unlink(request.etdump_path.c_str());
    trace.over = true;
    return context.fail(unit, outcome.error);
  }
  const std::uint64_t executions = take_recording(request.etdump_path, trace);
  ::unlink(request.etdump_path.c_str());
  if (executions == 0) return give_up(context, trace);
  unit.result.traced_warmup = executions > request.iterations ? executions - request.iterations : 0;
  if (!outcome.runs_are_means) {
    trace.runs_ms.insert(trace.runs_ms.end(), outcome.runs_ms.begin(), outcome.runs_ms.end());
  }
  if (trace.launch_runs.size() == 1) trace.outcome = std::move(outcome);
  return {};
}

// What the runner itself tells, one row per operator; without that, what its log names.
std::vector<analysis::KernelRow> kernels_of(const RunOutcome& outcome) {
  if (outcome.kernels.empty()) return analysis::kernels_in_log(outcome.output);
  return told_kernels(outcome);
}

Status write_kernels(ProfileContext& context, ProfileUnit& unit, const RunOutcome& outcome) {
  const std::string stem = context.stem_of(unit);
  unit.result.kernels = stem + "_kernels.csv";
  return write_file(context.path_of(unit.result.kernels),
                    report::write_kernels_csv(stem.substr(stem.rfind('/') + 1), kernels_of(outcome)));
}

// One file of all processes. What our encoder refuses is kept as the first process wrote it.
Status write_recording(ProfileContext& context, Trace& trace) {
  ProfileUnit& unit = *trace.unit;
  const std::string relative = context.stem_of(unit) + ".etdump";
  std::vector<std::byte> bytes = std::move(trace.first);
  if (trace.launch_runs.size() > 1) {
    if (auto joined = formats::etdump::encode(trace.joined); joined.ok()) {
      bytes = std::move(joined).value();
    } else {
      trace.launch_runs.resize(1);
    }
  }
  ETALON_CHECKED(write_file(context.path_of(relative), bytes));
  unit.result.etdump = relative;
  unit.result.traced_launch_runs = trace.launch_runs;
  if (!trace.runs_ms.empty()) {
    const measure::Summary summary = measure::summarize(trace.runs_ms);
    unit.result.traced_ms = summary.mean;
    unit.result.traced_median_ms = summary.median;
  }
  if (!unit.result.load_ms) unit.result.load_ms = trace.outcome.load_ms;
  return trace.outcome.kernels.empty() ? Status() : write_kernels(context, unit, trace.outcome);
}

Status trace_rounds(ProfileContext& context, std::vector<Trace>& traces) {
  const bool interleaved = context.config.design == measure::Design::kInterleaved;
  const std::uint64_t seed = measure::derived_seed(context.seed, kTraceSeed);
  const auto orders = measure::draw_rounds(traces.size(), kMostLaunches, seed);
  const auto step = [&](Trace& trace, std::uint32_t round) -> Status {
    if (trace.over || round >= trace.plan.launches) return {};
    context.tell(analysis::run_name(trace.unit->result.experiment, trace.unit->result.threads) + ", operators");
    context.done = std::min(context.done + 1, context.total);
    return trace_once(context, trace, round);
  };
  if (!interleaved) {
    for (Trace& trace : traces) {
      for (std::uint32_t round = 0; round < trace.plan.launches; ++round) ETALON_CHECKED(step(trace, round));
    }
    return {};
  }
  for (std::uint32_t round = 0; round < kMostLaunches; ++round) {
    for (const std::size_t i : orders[round]) ETALON_CHECKED(step(traces[i], round));
  }
  return {};
}

}  // namespace

TracePlan trace_plan_of(const ProfileUnit& unit) {
  const measure::Experiment& experiment = *unit.experiment;
  TracePlan plan;
  plan.launches = std::min(kMostLaunches, measure::launches_for(experiment.runs));
  const std::uint32_t wanted = (experiment.runs + plan.launches - 1) / plan.launches;
  const std::uint32_t affordable = runs_within(kLaunchMilliseconds, unit.result.median_ms.value_or(0));
  plan.runs = std::clamp(wanted, 1U, affordable);
  plan.warmup = std::min(experiment.warmup, affordable);
  return plan;
}

Status trace_units(ProfileContext& context, const std::vector<ProfileUnit*>& units) {
  std::vector<Trace> traces;
  for (ProfileUnit* unit : units) {
    if (unit->failed()) continue;
    Trace trace;
    trace.unit = unit;
    trace.plan = trace_plan_of(*unit);
    traces.push_back(std::move(trace));
  }
  ETALON_CHECKED(trace_rounds(context, traces));
  for (Trace& trace : traces) {
    if (!trace.unit->failed() && !trace.launch_runs.empty()) ETALON_CHECKED(write_recording(context, trace));
  }
  return {};
}

Status record_kernels(ProfileContext& context, ProfileUnit& unit) {
  RunRequest request = context.request_for(unit);
  request.tracing = Tracing::kKernels;
  request.iterations = 1;  // kernels are chosen at load; more runs tell nothing new
  context.tell(analysis::run_name(unit.result.experiment, unit.result.threads) + ", kernels");
  context.done = std::min(context.done + 1, context.total);
  ETALON_TRY(const RunOutcome outcome, context.run(unit, request, "kernel run"));
  ::unlink(request.etdump_path.c_str());
  if (!outcome.ok) return context.fail(unit, outcome.error);
  return write_kernels(context, unit, outcome);
}

}  // namespace etalon::cli
