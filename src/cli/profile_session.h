// A profiling session: the launches of all experiments, their results on disk, and what an interrupted one
// left.
//
// Timing comes first and is interleaved (profile_timing.h), then the runs that tell operators and kernels
// (profile_tracing.h). Each launch's samples are written as soon as it has ended, so an interrupt loses one launch at
// most. A run is recognised again by a key over everything that defines it: model, runner, inputs and settings.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/manifest.h"
#include "base/result.h"
#include "measure/experiment.h"
#include "targets/target.h"

namespace etalon::cli {

struct SessionOptions {
  double timeout_seconds = 900;   // per process
  bool fresh = false;             // forget what an earlier session finished
  std::vector<std::string> only;  // experiments; empty: all
  double sentinel_tolerance = 0.10;  // a block during which the machine slowed down by more is repeated; 0: never
};

// Told before each launch: "fast, 1 thread", launches done, launches in all.
using SessionProgress = std::function<void(std::string_view, std::size_t, std::size_t)>;

struct SessionOutcome {
  std::string run_dir;
  analysis::Manifest manifest;
  std::size_t reused = 0;  // runs that an earlier session had finished
  std::size_t failed = 0;
};

// `config` has passed check_files(). Errors: a missing own runner, a full disk, ...; failed runs are results.
Result<SessionOutcome> run_session(const measure::Config& config, const SessionOptions& options,
                                   targets::Target& target, const SessionProgress& progress);

}  // namespace etalon::cli
