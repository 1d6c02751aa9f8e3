// What the parts of a profiling session share: where things lie, how processes are started and logged, and what
// has been done so far. Used by one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/manifest.h"
#include "base/result.h"
#include "cli/profile_session.h"
#include "measure/experiment.h"
#include "targets/target.h"

namespace etalon::cli {

// One experiment with one number of threads.
struct ProfileUnit {
  const measure::Experiment* experiment = nullptr;
  analysis::RunResult result;
  bool reused = false;  // an earlier session finished it

  bool is_timed() const { return experiment->mode == measure::Mode::kTiming; }
  bool failed() const { return result.status == "failed"; }
};

struct ProfileContext {
  const measure::Config& config;
  const SessionOptions& options;
  targets::Target& target;
  const SessionProgress& progress;
  std::string run_dir = {};
  std::string model_name = {};
  std::uint64_t seed = 0;
  analysis::ExecutorchUse executorch = {};  // filled while it runs
  std::size_t done = 0;                     // steps of the progress bar
  std::size_t total = 0;

  std::string path_of(const std::string& relative) const { return run_dir + "/" + relative; }
  // "<experiment>/<model>_<experiment>_t<threads>", relative to the run folder.
  std::string stem_of(const ProfileUnit& unit) const;
  std::string log_of(const ProfileUnit& unit) const { return path_of(stem_of(unit) + ".log"); }
  targets::RunRequest request_for(const ProfileUnit& unit) const;

  // Tells the progress; `label` is shown.
  void tell(std::string_view label) const;
  // A line of ours in the unit's log.
  Status note_in_log(ProfileUnit& unit, std::string_view text) const;
  // Runs one process to its end, with its output in the log. A run that fails is an outcome that is not ok and
  // says why; errors are those of the folder.
  Result<targets::RunOutcome> run(ProfileUnit& unit, const targets::RunRequest& request, std::string_view what);
  // Marks the unit, and says so in its log.
  Status fail(ProfileUnit& unit, std::string_view error) const;
  // What the runner said of itself: engine, ISA, ExecuTorch's version.
  void keep_identity(ProfileUnit& unit, const targets::RunOutcome& outcome);
};

// Executions in a recording, in milliseconds; empty when it cannot be read.
std::vector<double> recorded_ms(const std::string& path);

}  // namespace etalon::cli
