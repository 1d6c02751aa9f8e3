// What a runner tells: its log lines (executor_runner's, formats of all versions) and our runner's JSON.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace etalon::targets {

struct RunnerLog {
  std::vector<double> iteration_ms;  // "Iteration 1 of 10: 12.3 ms", in order
  std::optional<double> load_ms;     // "Model loaded in 3.4 ms."
  std::optional<std::uint64_t>
      executions;  // "Model executed successfully 10 time(s) in 123 ms.", the last one
  std::optional<double> total_ms;
  std::string last_error;  // the last line of level E or F, without its prefix
};

RunnerLog parse_runner_log(std::string_view log);

// The kernel of one operator, as our runner tells it (fields as in runtime::DelegateOperation).
struct KernelUse {
  std::int64_t instruction = -1;
  std::string operation;
  std::string kernel;
  std::string isa;
  std::string wanted_isa;
  std::string reason;
  std::string tile;
  std::string shape;
  std::uint32_t threads = 1;
};

struct RunnerReport {
  std::vector<double> runs_ms;
  std::optional<double> first_ms;
  std::optional<double> load_ms;
  std::optional<double> peak_rss_bytes;
  std::string engine;
  std::string engine_version;   // of a runtime that is not ours
  std::string engine_revision;
  std::string isa;
  std::vector<KernelUse> kernels;
};

// Errors (kInvalidInput): not a report.
Result<RunnerReport> parse_runner_report(std::string_view json);

}  // namespace etalon::targets
