#include "measure/protocol.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <span>
#include <thread>
#include <utility>

#include "measure/budget.h"
#include "measure/preflight.h"
#include "measure/random.h"
#include "measure/sentinel.h"
#include "measure/statistics.h"
#include "measure/steady.h"
#include "platform/affinity.h"
#include "platform/clock.h"

namespace etalon::measure {
namespace {

constexpr int kFirstSentinels = 9;  // a baseline before anything runs
constexpr std::uint64_t kControlSeed = 0xC0;
constexpr std::uint64_t kMeasureSeed = 0x3E;

Status check_looks(const Plan& plan) {
  for (std::size_t i = 1; i < plan.looks.size(); ++i) {
    if (plan.looks[i] <= plan.looks[i - 1])
      return invalid_input("looks: the numbers of launches must ascend");
  }
  if (plan.looks.empty() || plan.looks.back() == plan.launches) return {};
  return invalid_input(
      fmt::format("looks: the last is {}, want {} as `launches`", plan.looks.back(), plan.launches));
}

Status check_plan(const Plan& plan, const std::vector<Arm>& arms) {
  if (arms.empty()) return invalid_input("found no arm, want at least one");
  if (plan.launches == 0) return invalid_input("launches: found 0, want at least 1");
  if (plan.blocks_per_launch == 0) return invalid_input("blocks_per_launch: found 0, want at least 1");
  if (plan.most_runs == 0) return invalid_input("most_runs: found 0, want at least 1");
  for (const Arm& arm : arms) {
    const std::uint64_t blocks = std::uint64_t{plan.launches} * (plan.concurrent ? plan.blocks_per_launch : 1);
    if (arm.total_runs == 0 || arm.total_runs >= blocks) continue;
    return invalid_input(fmt::format("total_runs: {} of arm {} are fewer than the {} blocks of the plan",
                                     arm.total_runs, arm.name, blocks));
  }
  return check_looks(plan);
}

// The launches of one set of arms: the control's or the comparison's.
class Phase {
 public:
  Phase(const Plan& plan, const std::vector<Arm>& arms, const LaunchWorker& launch, const Surroundings& world,
        SentinelWatch& watch, const std::uint32_t& runs_per_block, std::uint64_t seed)
      : plan_(plan),
        arms_(arms),
        launch_(launch),
        world_(world),
        watch_(watch),
        runs_per_block_(runs_per_block),
        seed_(seed) {}

  // `numbers[i]` is what LaunchWorker calls arm i of `arms`.
  Status run_launch(std::uint32_t index, std::span<const std::size_t> numbers, std::vector<ArmSamples>& arms);
  Result<double> probe(std::size_t number);

 private:
  struct Runner {
    std::unique_ptr<Worker> worker;
    LaunchRecord* record = nullptr;
    bool fresh_each_block = false;
    double level_ns = 0;
  };

  Result<Runner> start(std::size_t number, LaunchRecord& record);
  Status warm_up(const Arm& arm, Runner& runner);
  Result<std::vector<Block>> measure_block(std::span<const std::size_t> order,
                                           std::span<const std::uint32_t> runs, std::vector<Runner>& runners);
  Result<std::vector<Block>> measure_exclusively(std::span<const std::size_t> order,
                                                 std::span<const std::size_t> numbers,
                                                 std::span<const std::uint32_t> runs,
                                                 std::span<LaunchRecord* const> records);
  Status run_segment(Runner& runner, std::uint32_t runs, Block& block);
  Status run_blocks(std::uint32_t index, std::span<const std::size_t> numbers,
                    std::span<LaunchRecord* const> records, std::vector<Runner>& runners);
  double read_sentinel();
  static void keep_figures(const Runner& runner) {
    if (runner.worker != nullptr) runner.record->figures = runner.worker->figures();
  }
  std::uint32_t blocks_per_launch() const { return plan_.concurrent ? plan_.blocks_per_launch : 1; }

  // Of one arm in one block.
  std::uint32_t runs_of(std::size_t number, std::uint32_t launch, std::uint32_t block) const {
    const std::uint32_t total = arms_[number].total_runs;
    if (total == 0) return runs_per_block_;
    const std::uint32_t blocks = plan_.launches * blocks_per_launch();
    const std::uint32_t place = launch * blocks_per_launch() + block;
    return total / blocks + (place < total % blocks ? 1U : 0U);
  }

  const Plan& plan_;
  const std::vector<Arm>& arms_;
  const LaunchWorker& launch_;
  const Surroundings& world_;
  SentinelWatch& watch_;
  const std::uint32_t& runs_per_block_;
  std::uint64_t seed_;
};

LaunchRecord& record_of(ArmSamples& arm, std::uint32_t index) {
  for (LaunchRecord& launch : arm.launches) {
    if (launch.index == index) return launch;
  }
  arm.launches.emplace_back().index = index;
  return arm.launches.back();
}

bool is_finished(const LaunchRecord& record, std::uint32_t block) {
  return std::any_of(record.blocks.begin(), record.blocks.end(),
                     [block](const Block& known) { return known.index == block && !known.voided; });
}

std::vector<std::size_t> drawn_order(std::size_t arms, std::uint64_t seed) {
  std::vector<std::size_t> order(arms);
  std::iota(order.begin(), order.end(), std::size_t{0});
  Random(seed).shuffle(std::span(order));
  return order;
}

void append_ms(std::span<const double> times_ns, std::vector<double>& out) {
  for (const double time : times_ns) out.push_back(std::max(time, 1.0) / 1e6);
}

double Phase::read_sentinel() {
  if (!(plan_.sentinel_tolerance > 0)) return 0;
  return world_.sentinel_ns();
}

Result<Phase::Runner> Phase::start(std::size_t number, LaunchRecord& record) {
  Runner runner;
  runner.record = &record;
  runner.fresh_each_block = arms_[number].fresh_each_block;
  if (record.started_at.empty()) record.started_at = world_.utc_now();
  ETALON_TRY(runner.worker, launch_(number));
  ETALON_CHECKED(warm_up(arms_[number], runner));
  return runner;
}

// Batches of 1, 2, 4, ... runs until the series is steady, in the process that will be measured.
Status Phase::warm_up(const Arm& arm, Runner& runner) {
  if (plan_.warmup_runs == 0 || arm.warms_itself) return {};
  const std::size_t most = std::max(plan_.warmup_runs, arm.fewest_warmup);
  std::vector<double> trace;
  Steadiness found;
  const std::uint64_t start = world_.now_ns();
  const auto too_few = [&] { return trace.size() < arm.fewest_warmup; };
  for (std::uint32_t batch = 1; trace.size() < most && (too_few() || !found.steady()); batch *= 2) {
    const auto left = static_cast<std::uint32_t>(most - trace.size());
    ETALON_TRY(const std::vector<double> times, runner.worker->run(std::min(batch, left)));
    if (times.empty()) return run_failed("a worker returned no times");
    trace.insert(trace.end(), times.begin(), times.end());
    found = find_steady_state(trace);
    const bool late = static_cast<double>(world_.now_ns() - start) > plan_.warmup_seconds * 1e9;
    if (late && !too_few()) break;
  }
  runner.level_ns = found.level;
  runner.record->warmup_ms.clear();
  append_ms(trace, runner.record->warmup_ms);
  runner.record->steadiness = steadiness_name(found.kind);
  return {};
}

// The time of a steady run of one arm, from a process of its own that measures nothing else; 0: not looked
// for.
Result<double> Phase::probe(std::size_t number) {
  LaunchRecord record;
  ETALON_TRY(const Runner runner, start(number, record));
  return runner.level_ns;
}

// The first call after a change of arms finds the caches full of the other arm's data.
Status Phase::run_segment(Runner& runner, std::uint32_t runs, Block& block) {
  if (runs == 0) return {};
  if (runner.fresh_each_block) {
    ETALON_TRY(const std::vector<double> times, runner.worker->run(runs));
    if (times.empty()) return run_failed("a worker returned no times");
    append_ms(times, block.runs_ms);
    return {};
  }
  ETALON_TRY(const std::vector<double> times, runner.worker->run(runs + 1));
  if (times.size() != runs + 1) {
    return run_failed(fmt::format("a worker returned {} times of {} runs", times.size(), runs + 1));
  }
  append_ms(std::span(times).first(1), block.switch_ms);
  append_ms(std::span(times).subspan(1), block.runs_ms);
  return {};
}

Result<std::vector<Block>> Phase::measure_block(std::span<const std::size_t> order,
                                                std::span<const std::uint32_t> runs,
                                                std::vector<Runner>& runners) {
  std::vector<Block> blocks(order.size());
  const auto runs_back = [&](std::size_t arm) { return plan_.mirrored ? runs[arm] / 2 : 0; };
  for (std::size_t place = 0; place < order.size(); ++place) {
    const std::size_t arm = order[place];
    blocks[arm].place = static_cast<std::uint32_t>(place);
    // The last arm of the way there is the first of the way back: one longer stretch.
    const bool turns = plan_.mirrored && place + 1 == order.size();
    const std::uint32_t there = turns ? runs[arm] : runs[arm] - runs_back(arm);
    ETALON_CHECKED(run_segment(runners[arm], there, blocks[arm]));
  }
  for (std::size_t place = plan_.mirrored ? order.size() - 1 : 0; place > 0; --place) {
    const std::size_t arm = order[place - 1];
    ETALON_CHECKED(run_segment(runners[arm], runs_back(arm), blocks[arm]));
  }
  return blocks;
}

Result<std::vector<Block>> Phase::measure_exclusively(std::span<const std::size_t> order,
                                                      std::span<const std::size_t> numbers,
                                                      std::span<const std::uint32_t> runs,
                                                      std::span<LaunchRecord* const> records) {
  std::vector<Block> blocks(order.size());
  for (std::size_t place = 0; place < order.size(); ++place) {
    const std::size_t arm = order[place];
    blocks[arm].place = static_cast<std::uint32_t>(place);
    ETALON_TRY(Runner runner, start(numbers[arm], *records[arm]));
    ETALON_CHECKED(run_segment(runner, runs[arm], blocks[arm]));
    keep_figures(runner);
  }
  return blocks;
}

Status Phase::run_blocks(std::uint32_t index, std::span<const std::size_t> numbers,
                         std::span<LaunchRecord* const> records, std::vector<Runner>& runners) {
  for (std::uint32_t block = 0; block < blocks_per_launch(); ++block) {
    const bool finished = std::all_of(records.begin(), records.end(), [block](const LaunchRecord* record) {
      return is_finished(*record, block);
    });
    std::vector<std::uint32_t> runs;
    for (const std::size_t number : numbers) runs.push_back(runs_of(number, index, block));
    for (std::uint32_t attempt = 0; !finished; ++attempt) {
      if (attempt > 0) world_.pause(plan_.cool_down_seconds * attempt);
      const std::uint64_t part = (std::uint64_t{index} << 32) + (std::uint64_t{block} << 8) + attempt;
      const auto order = drawn_order(records.size(), derived_seed(seed_, part));
      const double before = read_sentinel();
      ETALON_TRY(std::vector<Block> measured, plan_.concurrent
                                                  ? measure_block(order, runs, runners)
                                                  : measure_exclusively(order, numbers, runs, records));
      const double after = read_sentinel();
      const bool disturbed = watch_.deviates(before) || watch_.deviates(after);
      if (before > 0) watch_.add(before);
      if (after > 0) watch_.add(after);
      const bool voided = disturbed && attempt < plan_.most_repeats;
      for (std::size_t arm = 0; arm < measured.size(); ++arm) {
        Block& result = measured[arm];
        result.index = block;
        result.attempt = attempt;
        result.sentinel_before_ns = before;
        result.sentinel_after_ns = after;
        result.disturbed = disturbed;
        result.voided = voided;
        records[arm]->blocks.push_back(std::move(result));
      }
      if (!voided) break;
    }
  }
  return {};
}

Status Phase::run_launch(std::uint32_t index, std::span<const std::size_t> numbers,
                         std::vector<ArmSamples>& arms) {
  for (ArmSamples& arm : arms) record_of(arm, index);
  std::vector<LaunchRecord*> records;
  for (ArmSamples& arm : arms) records.push_back(&record_of(arm, index));
  bool finished = true;
  for (const LaunchRecord* record : records) {
    for (std::uint32_t block = 0; block < blocks_per_launch(); ++block) {
      finished = finished && is_finished(*record, block);
    }
  }
  if (finished) return {};
  std::vector<Runner> runners(arms.size());
  if (plan_.concurrent) {
    for (const std::size_t arm : drawn_order(arms.size(), derived_seed(seed_, ~std::uint64_t{index}))) {
      ETALON_TRY(runners[arm], start(numbers[arm], *records[arm]), arms[arm].name);
    }
  }
  ETALON_CHECKED(run_blocks(index, numbers, records, runners));
  for (const Runner& runner : runners) keep_figures(runner);
  return {};
}

class Session {
 public:
  Session(const Plan& plan, const std::vector<Arm>& arms, const LaunchWorker& launch,
          const Surroundings& world, const SessionHooks& hooks, const RecordingOptions& options)
      : plan_(plan),
        arms_(arms),
        launch_(launch),
        world_(world),
        hooks_(hooks),
        options_(options),
        watch_(plan.sentinel_tolerance) {}

  Result<SessionOutcome> run(Recording earlier);

 private:
  void prepare(Recording earlier);
  Status settle_plan();
  Result<std::vector<ArmCost>> probe_arms();
  std::uint32_t fixed_runs() const;
  Status run_control();
  Result<bool> run_launches_until_decided();  // true: stopped at a look before the last
  Status after_launch(std::string_view phase, std::uint32_t done, std::uint32_t all);

  Plan plan_;
  const std::vector<Arm>& arms_;
  const LaunchWorker& launch_;
  const Surroundings& world_;
  const SessionHooks& hooks_;
  const RecordingOptions& options_;
  SentinelWatch watch_;
  Recording recording_;
};

ArmSamples samples_of(const Arm& arm) {
  ArmSamples samples;
  samples.name = arm.name;
  samples.key = arm.key;
  samples.threads = arm.threads;
  return samples;
}

bool continues(const Recording& earlier, const Plan& plan, const std::vector<Arm>& arms) {
  if (earlier.seed != plan.seed || earlier.arms.size() != arms.size()) return false;
  if (earlier.control.size() != (plan.control_launches > 0 ? 2U : 0U)) return false;
  if (earlier.runs_per_block == 0 || earlier.looks.empty()) return false;
  for (std::size_t i = 0; i < arms.size(); ++i) {
    if (earlier.arms[i].name != arms[i].name || earlier.arms[i].key != arms[i].key) return false;
    if (earlier.arms[i].threads != arms[i].threads) return false;
  }
  return true;
}

void Session::prepare(Recording earlier) {
  if (continues(earlier, plan_, arms_)) {
    recording_ = std::move(earlier);
  } else {
    recording_.seed = plan_.seed;
    recording_.session = fmt::format("{:016x}", derived_seed(plan_.seed, world_.now_ns()));
    if (world_.machine_json) recording_.machine_json = world_.machine_json();
    for (const Arm& arm : arms_) recording_.arms.push_back(samples_of(arm));
    if (plan_.control_launches > 0) recording_.control.assign(2, samples_of(arms_.front()));
  }
  for (int i = 0; i < kFirstSentinels && plan_.sentinel_tolerance > 0; ++i) watch_.add(world_.sentinel_ns());
}

Status Session::after_launch(std::string_view phase, std::uint32_t done, std::uint32_t all) {
  if (hooks_.progress) hooks_.progress(phase, done, all);
  return hooks_.save ? hooks_.save(recording_) : Status();
}

// A session that goes on keeps to what was planned when it began; a new one finds out what its parts cost.
Status Session::settle_plan() {
  if (recording_.runs_per_block > 0) {
    plan_.blocks_per_launch = std::max(recording_.blocks_per_launch, 1U);
    plan_.control_launches = recording_.control_launches;
    plan_.launches = recording_.looks.back();
    plan_.looks = recording_.looks;
    return {};
  }
  std::vector<ArmCost> costs;
  if (const std::uint32_t fixed = fixed_runs(); fixed > 0 && !(plan_.budget_seconds > 0)) {
    recording_.runs_per_block = fixed;
  } else {
    ETALON_TRY(costs, probe_arms());
  }
  if (plan_.budget_seconds > 0 && plan_.warmup_runs > 0) {
    plan_ = fit_to_budget(plan_, costs, plan_.budget_seconds);
  }
  if (recording_.runs_per_block == 0) recording_.runs_per_block = runs_for_block(plan_, costs);
  recording_.blocks_per_launch = plan_.blocks_per_launch;
  recording_.control_launches = plan_.control_launches;
  recording_.looks = plan_.looks.empty() ? std::vector<std::uint32_t>{plan_.launches} : plan_.looks;
  recording_.spending = plan_.spending;
  return {};
}

// The most runs of a block, when every arm says how many it wants in all; 0: some do not.
std::uint32_t Session::fixed_runs() const {
  const std::uint32_t blocks = plan_.launches * (plan_.concurrent ? plan_.blocks_per_launch : 1);
  std::uint32_t most = 0;
  for (const Arm& arm : arms_) {
    if (arm.total_runs == 0) return 0;
    most = std::max(most, (arm.total_runs + blocks - 1) / blocks);
  }
  return most;
}

Result<std::vector<ArmCost>> Session::probe_arms() {
  Phase phase(plan_, arms_, launch_, world_, watch_, recording_.runs_per_block, plan_.seed);
  std::vector<ArmCost> costs(arms_.size());
  for (std::size_t arm = 0; arm < arms_.size() && plan_.warmup_runs > 0; ++arm) {
    if (hooks_.begin) hooks_.begin("probe", static_cast<std::uint32_t>(arm));
    const std::uint64_t start = world_.now_ns();
    ETALON_TRY(const double level_ns, phase.probe(arm), arms_[arm].name);
    costs[arm] = {static_cast<double>(world_.now_ns() - start) / 1e9, level_ns / 1e9};
  }
  return costs;
}

Status Session::run_control() {
  Phase phase(plan_, arms_, launch_, world_, watch_, recording_.runs_per_block,
              derived_seed(plan_.seed, kControlSeed));
  const std::vector<std::size_t> numbers = {0, 0};
  for (std::uint32_t index = 0; index < plan_.control_launches; ++index) {
    if (hooks_.begin) hooks_.begin("control", index);
    ETALON_CHECKED(phase.run_launch(index, numbers, recording_.control));
    ETALON_CHECKED(after_launch("control", index + 1, plan_.control_launches));
  }
  return {};
}

Result<bool> Session::run_launches_until_decided() {
  Phase phase(plan_, arms_, launch_, world_, watch_, recording_.runs_per_block,
              derived_seed(plan_.seed, kMeasureSeed));
  std::vector<std::size_t> numbers(arms_.size());
  std::iota(numbers.begin(), numbers.end(), std::size_t{0});
  for (std::uint32_t index = 0; index < plan_.launches; ++index) {
    if (hooks_.begin) hooks_.begin("measure", index);
    ETALON_CHECKED(phase.run_launch(index, numbers, recording_.arms));
    ETALON_CHECKED(after_launch("measure", index + 1, plan_.launches));
    const bool is_look = std::count(plan_.looks.begin(), plan_.looks.end(), index + 1) > 0;
    if (!is_look || index + 1 == plan_.launches || arms_.size() < 2) continue;
    ETALON_TRY(const Judgement judgement, judge_recording(recording_, options_));
    const bool decided =
        std::all_of(judgement.verdicts.begin(), judgement.verdicts.end(),
                    [](const Verdict& verdict) { return verdict.claim != Claim::kInconclusive; });
    if (decided) return true;
  }
  return false;
}

Result<SessionOutcome> Session::run(Recording earlier) {
  ETALON_CHECKED(check_plan(plan_, arms_));
  prepare(std::move(earlier));
  ETALON_CHECKED(settle_plan());
  if (plan_.control_launches > 0) ETALON_CHECKED(run_control(), "A/A control");
  SessionOutcome outcome;
  ETALON_TRY(outcome.stopped_early, run_launches_until_decided());
  if (arms_.size() > 1) {
    ETALON_TRY(outcome.judgement, judge_recording(recording_, options_));
  }
  outcome.recording = std::move(recording_);
  outcome.plan = plan_;
  return outcome;
}

// In a thread of its own, so that the caller stays where it is.
double sentinel_on(const std::vector<int>& cpus) {
  double reading = 0;
  std::thread pinned([&] {
    static_cast<void>(platform::set_affinity(cpus).ok());  // else it runs anywhere, which is the next best
    reading = time_sentinel_ns();
  });
  pinned.join();
  return reading;
}

}  // namespace

Surroundings real_surroundings(const std::vector<int>& cpus) {
  Surroundings real;
  real.sentinel_ns = time_sentinel_ns;
  if (!cpus.empty()) real.sentinel_ns = [cpus] { return sentinel_on(cpus); };
  real.now_ns = platform::now_ns;
  real.pause = [](double seconds) { std::this_thread::sleep_for(std::chrono::duration<double>(seconds)); };
  real.utc_now = platform::utc_now;
  real.machine_json = [] { return machine_state_to_json(read_machine_state()); };
  return real;
}

Result<SessionOutcome> run_session(const Plan& plan, const std::vector<Arm>& arms, const LaunchWorker& launch,
                                   const Surroundings& surroundings, const SessionHooks& hooks,
                                   const RecordingOptions& options, Recording earlier) {
  return Session(plan, arms, launch, surroundings, hooks, options).run(std::move(earlier));
}

}  // namespace etalon::measure
