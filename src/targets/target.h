// Where a runner lives. A target starts one runner process and brings back what it said and measured.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "targets/runner_output.h"

namespace etalon::targets {

enum class Tracing : std::uint8_t { kOff, kOps, kKernels };

struct RunRequest {
  std::string runner;
  bool own_runner = true;  // takes our flags besides executor_runner's
  std::string model;
  std::uint32_t iterations = 1;
  std::uint32_t warmup = 0;  // in the same process, before the iterations
  std::uint32_t threads = 1;
  std::string engine;
  std::string isa;
  std::vector<std::string> inputs;
  std::vector<std::string> extra_args;
  std::map<std::string, std::string> environment;
  std::uint64_t cpu_mask = 0;
  Tracing tracing = Tracing::kOff;
  std::string etdump_path;   // where a recording goes; any executor_runner may write one
  std::string scratch_path;  // start of the names of files that are read and removed
  std::string log_path;      // appended to
  double timeout_seconds = 0;
};

struct RunOutcome {
  bool ok = false;
  std::string error;               // of a failed run: how it ended and what the runner said last
  std::vector<double> warmup_ms;   // where the runner tells them
  std::vector<double> runs_ms;     // steady iterations; empty when the runner prints no times
  bool runs_are_means = false;     // the runner gave only a total: one mean instead of single times
  std::optional<double> first_ms;  // the first execution of the process
  std::optional<double> load_ms;
  std::optional<double> peak_rss_bytes;
  std::string engine;  // what ran, as our runner says
  std::string engine_version;
  std::string engine_revision;
  std::string isa;
  std::vector<KernelUse> kernels;
  std::string output;  // merged stdout and stderr
};

class Target {
 public:
  virtual ~Target() = default;
  // A run that fails is an outcome; errors are for what the request itself gets wrong (no such runner, ...).
  virtual Result<RunOutcome> run(const RunRequest& request) = 0;
  // "system", "cpu", "memory_bytes", ...: read on the target itself.
  virtual std::map<std::string, std::string> facts() = 0;
  // Whether runners are processes of this machine, which a session can keep alive and talk to.
  virtual bool is_local() const { return false; }
  // The last part of a run folder's path: "linux", "mac", "android".
  virtual std::string system_name() = 0;
};

class HostTarget final : public Target {
 public:
  Result<RunOutcome> run(const RunRequest& request) override;
  std::map<std::string, std::string> facts() override;
  bool is_local() const override { return true; }
  std::string system_name() override;
};

// The command line of a request (for logs and tests).
std::vector<std::string> command_line(const RunRequest& request);

}  // namespace etalon::targets
