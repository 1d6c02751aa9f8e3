#include <fmt/core.h>
#include <fmt/format.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>

#include "base/file.h"
#include "base/unfinished.h"
#include "platform/cpu_info.h"
#include "platform/memory.h"
#include "platform/process.h"
#include "targets/target.h"

namespace etalon::targets {
namespace {

std::string report_path(const RunRequest& request) { return request.scratch_path + ".json"; }

const char* tracing_name(Tracing tracing) {
  switch (tracing) {
    case Tracing::kOff:
      return "off";
    case Tracing::kOps:
      return "ops";
    case Tracing::kKernels:
      return "kernels";
  }
  return "off";
}

void add_own_flags(const RunRequest& request, std::vector<std::string>& argv) {
  argv.push_back(fmt::format("--warmup={}", request.warmup));
  argv.push_back(fmt::format("--trace={}", tracing_name(request.tracing)));
  argv.push_back("--print_output=none");
  argv.push_back("--json=" + report_path(request));
  if (!request.engine.empty()) argv.push_back("--engine=" + request.engine);
  if (!request.isa.empty()) argv.push_back("--isa=" + request.isa);
}

// A foreign runner has no warm-up flag: its first iterations are the warm-up.
void split_warmup(const RunRequest& request, std::vector<double> all, RunOutcome& outcome) {
  const std::size_t warmup = std::min<std::size_t>(request.warmup, all.empty() ? 0 : all.size() - 1);
  if (!all.empty()) outcome.first_ms = all.front();
  outcome.warmup_ms.assign(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(warmup));
  outcome.runs_ms.assign(all.begin() + static_cast<std::ptrdiff_t>(warmup), all.end());
}

void read_log(const RunRequest& request, const RunnerLog& log, RunOutcome& outcome) {
  outcome.load_ms = log.load_ms;
  if (!log.iteration_ms.empty()) {
    split_warmup(request, log.iteration_ms, outcome);
  } else if (log.executions && log.total_ms) {
    outcome.runs_ms = {*log.total_ms / static_cast<double>(*log.executions)};
    outcome.runs_are_means = true;
  }
}

Status read_own_report(const RunRequest& request, RunOutcome& outcome) {
  const std::string path = report_path(request);
  ETALON_TRY(const std::string text, read_text_file(path));
  ETALON_TRY(RunnerReport report, parse_runner_report(text), path);
  outcome.runs_ms = std::move(report.runs_ms);
  outcome.warmup_ms.clear();
  outcome.runs_are_means = false;
  if (report.first_ms) outcome.first_ms = report.first_ms;
  if (report.load_ms) outcome.load_ms = report.load_ms;
  outcome.peak_rss_bytes = report.peak_rss_bytes;
  outcome.engine = std::move(report.engine);
  outcome.engine_version = std::move(report.engine_version);
  outcome.engine_revision = std::move(report.engine_revision);
  outcome.isa = std::move(report.isa);
  outcome.kernels = std::move(report.kernels);
  return {};
}

std::string failure(const platform::ProcessEnd& end, const RunnerLog& log) {
  if (log.last_error.empty()) return end.describe();
  return fmt::format("{}: {}", end.describe(), log.last_error.substr(0, 300));
}

}  // namespace

std::vector<std::string> command_line(const RunRequest& request) {
  // Everything runs in one process, so that measured iterations find caches, pages and packed weights warm.
  const std::uint32_t executions =
      request.own_runner ? request.iterations : request.iterations + request.warmup;
  std::vector<std::string> argv = {request.runner, "--model_path=" + request.model,
                                   fmt::format("--num_executions={}", executions),
                                   fmt::format("--cpu_threads={}", request.threads)};
  // executor_runner writes model.etdump into the working folder unless it is told where.
  if (!request.own_runner || request.tracing == Tracing::kOps)
    argv.push_back("--etdump_path=" + request.etdump_path);
  if (!request.inputs.empty()) argv.push_back(fmt::format("--inputs={}", fmt::join(request.inputs, ",")));
  if (request.own_runner) add_own_flags(request, argv);
  argv.insert(argv.end(), request.extra_args.begin(), request.extra_args.end());
  return argv;
}

Result<RunOutcome> HostTarget::run(const RunRequest& request) {
  platform::Command command;
  command.argv = command_line(request);
  command.environment = request.environment;
  // XNNPACK names the kernels it chooses at this level, in builds that log at all.
  const bool has_xnnpack = !request.own_runner || request.engine == "executorch";
  if (has_xnnpack && request.tracing == Tracing::kKernels)
    command.environment.emplace("XNN_LOG_LEVEL", "5");
  command.log_path = request.log_path;
  command.timeout_seconds = request.timeout_seconds;
  command.cpu_mask = request.cpu_mask;
  ::unlink(report_path(request).c_str());
  const UnfinishedFile report(report_path(request));
  const UnfinishedFile recording(request.etdump_path);
  ETALON_TRY(platform::ProcessEnd end, platform::run_process(command));
  const RunnerLog log = parse_runner_log(end.output);
  RunOutcome outcome;
  outcome.ok = end.succeeded();
  if (!outcome.ok) outcome.error = failure(end, log);
  read_log(request, log, outcome);
  if (outcome.ok && request.own_runner) {
    const Status read = read_own_report(request, outcome);
    if (!read.ok()) {
      outcome.ok = false;
      outcome.error = read.error().message();
    }
  }
  ::unlink(report_path(request).c_str());
  outcome.output = std::move(end.output);
  return outcome;
}

std::map<std::string, std::string> HostTarget::facts() {
  std::map<std::string, std::string> facts;
  utsname system{};
  if (::uname(&system) == 0) {
    facts["system"] = system.sysname;
    facts["kernel"] = system.release;
    facts["architecture"] = system.machine;
  }
  const platform::CpuInfo cpu = platform::read_cpu_info();
  if (!cpu.model.empty()) facts["cpu"] = cpu.model;
  facts["logical_cpus"] = std::to_string(cpu.logical_cpus);
  if (!cpu.features.empty()) facts["cpu_features"] = fmt::format("{}", fmt::join(cpu.features, " "));
  if (const auto memory = platform::physical_memory_bytes()) facts["memory_bytes"] = std::to_string(*memory);
  return facts;
}

std::string HostTarget::system_name() {
  utsname system{};
  if (::uname(&system) != 0) return "host";
  const std::string name = system.sysname;
  if (name == "Darwin") return "mac";
  return name == "Linux" ? "linux" : "host";
}

}  // namespace etalon::targets
