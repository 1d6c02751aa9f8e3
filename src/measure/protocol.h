// The measuring protocol: what turns "run this, run that" into samples that a verdict can rest on.
//
//   control (arm 0 against itself)  ->  launches { warm-up until steady -> blocks { sentinel, arms in drawn
//   order } }
//
// It is handed callables and does not know what it times. Within a block the arms run in a drawn order and
// then in the reverse of it (A B B A), so that a drift that is even over the block cancels; the first call
// after each change of arms is kept apart. Between blocks a sentinel is read: a block around which it
// deviated is repeated, a limited number of times. How much is measured is fixed before it starts (or looked
// at at planned points, see group_sequential.h). Finished blocks survive an interruption. Thread-compatible;
// callables run on the calling thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "measure/samples.h"
#include "measure/verdict.h"

namespace etalon::measure {

// One live process (or anything else) that can run one arm.
class Worker {
 public:
  virtual ~Worker() = default;
  // Nanoseconds of each of `runs` runs, in order. An error ends the session; what finished is kept.
  virtual Result<std::vector<double>> run(std::uint32_t runs) = 0;
  // What it has told of itself so far ("load_ms", "peak_rss_bytes"), for LaunchRecord::figures.
  virtual Figures figures() const { return {}; }
};

using LaunchWorker = std::function<Result<std::unique_ptr<Worker>>(std::size_t arm)>;

struct Plan {
  std::uint32_t launches = 12;  // of each arm, all fresh processes
  std::uint32_t blocks_per_launch = 3;
  std::uint32_t control_launches = 6;  // 0: no A/A control
  double block_seconds = 0.05;         // of each arm in each block, about
  std::uint32_t fewest_runs = 6;       // in a block, of each arm
  std::uint32_t most_runs = 1000;
  double warmup_seconds = 2;         // at most, per worker
  std::uint32_t warmup_runs = 500;   // at most; 0: the worker warms up by itself
  double sentinel_tolerance = 0.10;  // 0: no sentinel
  std::uint32_t most_repeats = 3;    // of a block that was disturbed; after that it counts, and is marked
  double cool_down_seconds = 0.1;    // before a repetition, times its number
  bool mirrored = true;              // A B B A; false: A B
  bool concurrent =
      true;  // the workers of all arms live at once; false: memory allows one (blocks are launches)
  std::vector<std::uint32_t>
      looks;  // launches at which to look and perhaps stop, the last is `launches`; empty: at the end
  Spending spending = Spending::kObrienFleming;
  double budget_seconds =
      0;  // above 0: the plan is cut to about this, see budget.h, after one launch of each arm
  std::uint64_t seed = 1;
};

// The clocks of the world, replaceable in tests. Defaults: the real ones.
struct Surroundings {
  std::function<double()> sentinel_ns;
  std::function<std::uint64_t()> now_ns;
  std::function<void(double seconds)> pause;
  std::function<std::string()> utc_now;
  std::function<std::string()> machine_json;  // may be empty: nothing is recorded
};
// The sentinel runs on `cpus` (where the arms are pinned), on any when empty.
Surroundings real_surroundings(const std::vector<int>& cpus = {});

struct Arm {
  std::string name;
  std::string key;
  std::uint32_t threads = 1;
  std::uint32_t total_runs = 0;     // spread over all blocks that count; 0: as many in each as the plan finds to fit
  std::uint32_t fewest_warmup = 0;  // runs before the arm may count as warm
  bool warms_itself = false;        // its worker has warmed up when it is launched
  // Every request is a process of its own (a runner that cannot be kept alive): nothing is thrown away after a
  // change of arms, and it may tell fewer times than were asked for.
  bool fresh_each_block = false;
};

struct SessionHooks {
  // Before the processes of a launch are started: "probe", "control" or "measure", and the launch's index.
  std::function<void(std::string_view phase, std::uint32_t launch)> begin;
  // After every launch: the place to write the file from which the session can be resumed.
  std::function<Status(const Recording&)> save;
  // "control" or "measure", and launches done of all.
  std::function<void(std::string_view phase, std::uint32_t done, std::uint32_t all)> progress;
};

struct SessionOutcome {
  Recording recording;
  Judgement judgement;
  Plan plan;  // as it was carried out, cut to the budget
  bool stopped_early = false;
};

// Measures the arms and judges each against the first; one arm alone is measured and there is nothing to
// judge but the control. `earlier` is what an interrupted session
// saved: its finished blocks are kept when seed, names and keys are those of now, and it is ignored
// otherwise. Errors: kInvalidInput (a plan that cannot work, naming the field), and whatever a callable
// returns.
Result<SessionOutcome> run_session(const Plan& plan, const std::vector<Arm>& arms, const LaunchWorker& launch,
                                   const Surroundings& surroundings, const SessionHooks& hooks = {},
                                   const RecordingOptions& options = {}, Recording earlier = {});

}  // namespace etalon::measure
