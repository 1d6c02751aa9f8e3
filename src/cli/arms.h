// Measuring variants of a model against each other, interleaved, in worker processes of our runner: what `compare`,
// `advise`, `demo` and `profile` have in common.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
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

// A plan that takes about this many seconds, and one for people who wait: 12 launches, 3 blocks.
measure::Plan plan_for_seconds(double seconds);

}  // namespace etalon::cli
