// Measuring variants of a model against each other, interleaved, in worker processes of our runner: what `compare`,
// `advise`, `demo` and `profile` have in common.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "measure/protocol.h"

namespace etalon::cli {

// One variant: a program and how it is run. The first arm of a session is the baseline of every verdict.
struct ArmRequest {
  std::string name;         // unique: "avx2", "mobilenet_int8"
  std::string model;        // .pte
  std::string runner;       // empty: our own (or the one for engine "executorch"); another must be one of ours
  std::string engine;       // as --engine; empty: the runner's default
  std::string isa;          // as --isa; empty: the best
  std::string math;         // as --math
  std::uint32_t threads = 1;
  std::vector<std::string> inputs;      // files, one per input; empty: those stored with the program, else ones
  std::vector<std::string> extra_args;  // handed to the runner
  std::map<std::string, std::string> environment;
  std::uint64_t cpu_mask = 0;           // 0: not pinned
  bool traced = false;  // operators are recorded: times are for shares only, never for latency

  // Rarely needed.
  std::uint32_t total_runs = 0;  // spread over all blocks; 0: as many in each as the plan finds to fit
  std::uint32_t warmup = 0;      // runs at least, before it may count as warm
  std::string log_path;          // where the runner's log is appended; empty: nowhere
  std::string key;               // of all that decides what is measured; empty: made from the above
  double timeout_seconds = 900;  // for loading, and for the runs of one block
};

struct ArmsOptions {
  measure::Plan plan;
  measure::RecordingOptions judge;
  std::string samples_path;  // written after every launch and resumed from; empty: neither
  // Where a traced arm's recordings go, by arm and launch: empty: nowhere. Called with the arm's index and the launch's.
  std::function<std::string(std::size_t arm, std::size_t launch)> etdump_path;
  std::function<void(std::string_view phase, std::uint32_t done, std::uint32_t all)> progress;
};

// Every launch is a fresh process that stays alive while its blocks are measured. LaunchRecord::figures hold "load_ms",
// "first_ms", "peak_rss_bytes", "baseline_rss_bytes", "packed_weights_bytes", "workspace_bytes" and "planned_bytes" where
// the runner tells them. Errors: kNotFound, kInvalidInput (an arm without a model, two of one name), kRunFailed (naming the arm).
Result<measure::SessionOutcome> measure_arms(const std::vector<ArmRequest>& arms, const ArmsOptions& options);

// The processes behind a session, for those who keep its recording themselves. Checked when it is made; errors as those
// of measure_arms(). Thread-compatible; launcher() and before_launch() refer to it, so it must stay where it is.
class ArmProcesses {
 public:
  static Result<std::unique_ptr<ArmProcesses>> prepare(
      const std::vector<ArmRequest>& requests,
      std::function<std::string(std::size_t arm, std::size_t launch)> etdump_path = {});

  const std::vector<measure::Arm>& arms() const { return arms_; }
  measure::LaunchWorker launcher();
  void before_launch(std::string_view phase, std::uint32_t launch);  // SessionHooks::begin
  // Whether the workers of all arms may live at once, by what their models weigh and the machine has left.
  bool fit_together() const;
  // The CPUs that all arms are pinned to; empty when they differ or are not pinned.
  std::vector<int> shared_cpus() const;

  // The arm whose process failed last, and how; the error of a session does not always name it.
  struct Failure {
    std::size_t arm = 0;
    Error error;
  };
  const std::optional<Failure>& failure() const { return failure_; }

 private:
  friend class ArmWorker;
  Result<std::unique_ptr<measure::Worker>> launch(std::size_t arm);

  std::vector<ArmRequest> requests_;
  std::vector<measure::Arm> arms_;
  std::vector<std::uint64_t> model_bytes_;
  std::function<std::string(std::size_t arm, std::size_t launch)> etdump_path_;
  std::optional<Failure> failure_;
  std::optional<std::uint32_t> launch_;  // of the measuring itself; nothing during probes and controls
};

// A plan that takes about this many seconds, and one for people who wait: 12 launches, 3 blocks.
measure::Plan plan_for_seconds(double seconds);

}  // namespace etalon::cli
