#include "measure/protocol.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "measure/simulated_machine.h"

namespace etalon::measure {
namespace {

using ::testing::HasSubstr;

// Counts what it is asked for; every run takes 1 ms times the number of the arm plus one.
struct Ledger {
  std::vector<std::pair<std::size_t, std::uint32_t>> calls;  // arm, runs
  std::vector<std::size_t> launched;
  std::uint64_t now_ns = 0;
  int alive = 0;
  int most_alive = 0;
  int runs_left = 1 << 30;        // then the worker crashes
  std::vector<double> sentinels;  // read one after the other, then 1000
  std::size_t next_sentinel = 0;
  std::vector<double> pauses;
};

class CountingWorker : public Worker {
 public:
  CountingWorker(Ledger& ledger, std::size_t arm) : ledger_(ledger), arm_(arm) {
    ledger_.most_alive = std::max(ledger_.most_alive, ++ledger_.alive);
  }
  ~CountingWorker() override { --ledger_.alive; }

  Result<std::vector<double>> run(std::uint32_t runs) override {
    ledger_.calls.emplace_back(arm_, runs);
    ledger_.runs_left -= static_cast<int>(runs);
    if (ledger_.runs_left < 0) return run_failed("the worker crashed");
    std::vector<double> times(runs, 1e6 * static_cast<double>(arm_ + 1));
    ledger_.now_ns += static_cast<std::uint64_t>(1e6) * runs;
    return times;
  }

 private:
  Ledger& ledger_;
  std::size_t arm_;
};

LaunchWorker launcher_of(Ledger& ledger) {
  return [&ledger](std::size_t arm) -> Result<std::unique_ptr<Worker>> {
    ledger.launched.push_back(arm);
    return std::unique_ptr<Worker>(std::make_unique<CountingWorker>(ledger, arm));
  };
}

Surroundings surroundings_of(Ledger& ledger) {
  return {[&ledger] {
            return ledger.next_sentinel < ledger.sentinels.size() ? ledger.sentinels[ledger.next_sentinel++]
                                                                  : 1000.0;
          },
          [&ledger] { return ledger.now_ns; },
          [&ledger](double seconds) { ledger.pauses.push_back(seconds); },
          [] { return std::string("2000-01-01T00:00:00Z"); },
          {}};
}

const std::vector<Arm> kTwo = {{"off", "k0", 1}, {"on", "k1", 1}};

Plan small_plan() {
  Plan plan;
  plan.launches = 3;
  plan.blocks_per_launch = 2;
  plan.control_launches = 0;
  plan.block_seconds = 0.02;  // 10 runs of the arm that takes 2 ms
  return plan;
}

TEST(Protocol, every_block_holds_the_same_number_of_runs_of_every_arm) {
  Ledger ledger;
  const auto outcome = run_session(small_plan(), kTwo, launcher_of(ledger), surroundings_of(ledger));
  ASSERT_TRUE(outcome.ok()) << outcome.error().message();
  EXPECT_EQ(outcome->recording.runs_per_block, 10U);
  for (const ArmSamples& arm : outcome->recording.arms) {
    ASSERT_EQ(arm.launches.size(), 3U);
    for (const LaunchRecord& launch : arm.launches) {
      EXPECT_EQ(launch.steadiness, "flat");
      ASSERT_EQ(launch.blocks.size(), 2U);
      for (const Block& block : launch.blocks) EXPECT_EQ(block.runs_ms.size(), 10U);
    }
  }
  EXPECT_EQ(outcome->judgement.verdicts.at(0).claim, Claim::kSlower);
  EXPECT_NEAR(outcome->judgement.verdicts.at(0).ratio, 2, 1e-9);
}

TEST(Protocol, arms_run_in_a_drawn_order_and_back) {
  Ledger ledger;
  Plan plan = small_plan();
  plan.launches = 20;
  plan.warmup_runs = 0;
  plan.fewest_runs = 4;
  ASSERT_TRUE(run_session(plan, kTwo, launcher_of(ledger), surroundings_of(ledger)).ok());
  ASSERT_EQ(ledger.calls.size(), 20U * 2 * 3);
  int first_is_zero = 0;
  for (std::size_t i = 0; i < ledger.calls.size(); i += 3) {
    const auto [outer, outer_runs] = ledger.calls[i];
    const auto [inner, inner_runs] = ledger.calls[i + 1];
    EXPECT_NE(outer, inner);
    EXPECT_EQ(ledger.calls[i + 2].first, outer);
    EXPECT_EQ(outer_runs, 3U);  // half of the runs, and the first call that is kept apart
    EXPECT_EQ(inner_runs, 5U);
    first_is_zero += outer == 0 ? 1 : 0;
  }
  EXPECT_GT(first_is_zero, 10);
  EXPECT_LT(first_is_zero, 30);
}

TEST(Protocol, every_launch_is_a_fresh_process_of_each_arm) {
  Ledger ledger;
  ASSERT_TRUE(run_session(small_plan(), kTwo, launcher_of(ledger), surroundings_of(ledger)).ok());
  EXPECT_EQ(ledger.launched.size(), 2U + 3 * 2);  // the first two find out how long a run takes
  EXPECT_EQ(ledger.most_alive, 2);
  EXPECT_EQ(ledger.alive, 0);
}

TEST(Protocol, workers_that_do_not_fit_together_run_one_at_a_time) {
  Ledger ledger;
  Plan plan = small_plan();
  plan.concurrent = false;
  const auto outcome = run_session(plan, kTwo, launcher_of(ledger), surroundings_of(ledger));
  ASSERT_TRUE(outcome.ok()) << outcome.error().message();
  EXPECT_EQ(ledger.most_alive, 1);
  EXPECT_EQ(outcome->recording.arms[1].launches.size(), 3U);
  EXPECT_EQ(outcome->recording.arms[1].launches[0].blocks.size(), 1U);
}

TEST(Protocol, the_control_runs_first_and_runs_the_baseline_alone) {
  Ledger ledger;
  Plan plan = small_plan();
  plan.control_launches = 3;
  std::vector<std::string> phases;
  SessionHooks hooks;
  hooks.progress = [&](std::string_view phase, std::uint32_t, std::uint32_t) { phases.emplace_back(phase); };
  const auto outcome = run_session(plan, kTwo, launcher_of(ledger), surroundings_of(ledger), hooks);
  ASSERT_TRUE(outcome.ok()) << outcome.error().message();
  EXPECT_EQ(phases,
            (std::vector<std::string>{"control", "control", "control", "measure", "measure", "measure"}));
  EXPECT_EQ(std::count(ledger.launched.begin() + 2, ledger.launched.begin() + 8, 0U), 6);
  EXPECT_TRUE(outcome->judgement.control.ran);
  EXPECT_FALSE(outcome->judgement.control.alarmed);
}

TEST(Protocol, a_block_around_a_deviating_sentinel_is_voided_and_repeated) {
  Ledger ledger;
  ledger.sentinels.assign(9, 1000);                                           // the baseline
  ledger.sentinels.insert(ledger.sentinels.end(), {1000, 1500, 1000, 1000});  // after the first block
  const auto outcome = run_session(small_plan(), kTwo, launcher_of(ledger), surroundings_of(ledger));
  ASSERT_TRUE(outcome.ok());
  for (const ArmSamples& arm : outcome->recording.arms) {
    const std::vector<Block>& blocks = arm.launches[0].blocks;
    ASSERT_EQ(blocks.size(), 3U);
    EXPECT_TRUE(blocks[0].voided);
    EXPECT_FALSE(blocks[1].voided);
    EXPECT_EQ(blocks[1].index, 0U);
    EXPECT_EQ(blocks[1].attempt, 1U);
  }
  EXPECT_EQ(outcome->judgement.verdicts.at(0).voided, 1U);
  EXPECT_EQ(ledger.pauses.size(), 1U);
}

TEST(Protocol, repetitions_are_limited_and_the_last_one_counts_but_is_marked) {
  Ledger ledger;
  ledger.sentinels.assign(9, 1000);
  ledger.sentinels.insert(ledger.sentinels.end(), 8, 9000);
  Plan plan = small_plan();
  plan.launches = 1;
  plan.blocks_per_launch = 1;
  const auto outcome = run_session(plan, kTwo, launcher_of(ledger), surroundings_of(ledger));
  ASSERT_TRUE(outcome.ok());
  const std::vector<Block>& blocks = outcome->recording.arms[0].launches[0].blocks;
  ASSERT_EQ(blocks.size(), 4U);
  EXPECT_TRUE(blocks[2].voided);
  EXPECT_FALSE(blocks[3].voided);
  EXPECT_TRUE(blocks[3].disturbed);
  EXPECT_EQ(outcome->judgement.verdicts.at(0).disturbed, 1U);
}

TEST(Protocol, an_interrupted_session_keeps_its_finished_blocks) {
  Ledger ledger;
  ledger.runs_left = 230;
  Recording saved;
  SessionHooks hooks;
  hooks.save = [&](const Recording& recording) {
    saved = recording;
    return Status();
  };
  const auto broken = run_session(small_plan(), kTwo, launcher_of(ledger), surroundings_of(ledger), hooks);
  ASSERT_FALSE(broken.ok());
  EXPECT_EQ(broken.error().code(), ErrorCode::kRunFailed);
  ASSERT_GE(saved.arms.at(0).launches.size(), 1U);
  ASSERT_LT(saved.arms.at(0).launches.size(), 3U);
  const std::string session = saved.session;
  const auto first = saved.arms[0].launches[0].blocks[0].runs_ms;

  const auto from_file = parse_recording(recording_to_json(saved));
  ASSERT_TRUE(from_file.ok());
  Ledger second;
  second.now_ns = 12345;
  const auto resumed =
      run_session(small_plan(), kTwo, launcher_of(second), surroundings_of(second), hooks, {}, *from_file);
  ASSERT_TRUE(resumed.ok()) << resumed.error().message();
  EXPECT_EQ(resumed->recording.session, session);
  EXPECT_EQ(resumed->recording.arms[0].launches.size(), 3U);
  EXPECT_EQ(resumed->recording.arms[0].launches[0].blocks[0].runs_ms, first);
  EXPECT_LT(second.launched.size(), 6U);  // what was finished is not measured again
}

TEST(Protocol, a_plan_is_cut_to_its_budget_and_a_resumed_one_keeps_to_it) {
  Ledger ledger;
  Plan plan = small_plan();
  plan.launches = 30;
  plan.control_launches = 10;
  plan.budget_seconds = 1;  // of the arms' 1 and 2 ms a run; launches cost their warm-up
  Recording saved;
  SessionHooks hooks;
  hooks.save = [&](const Recording& recording) {
    if (saved.arms.empty() || saved.arms[0].launches.size() < 2) saved = recording;
    return Status();
  };
  const auto outcome = run_session(plan, kTwo, launcher_of(ledger), surroundings_of(ledger), hooks);
  ASSERT_TRUE(outcome.ok()) << outcome.error().message();
  EXPECT_LT(outcome->plan.launches, 30U);
  EXPECT_GE(outcome->plan.launches, 6U);
  EXPECT_EQ(outcome->recording.arms[0].launches.size(), outcome->plan.launches);
  EXPECT_EQ(outcome->recording.control[0].launches.size(), outcome->plan.control_launches);
  EXPECT_LT(static_cast<double>(ledger.now_ns), 1.3e9);

  Ledger second;
  second.now_ns = 77;
  const auto resumed = run_session(plan, kTwo, launcher_of(second), surroundings_of(second), {}, {}, saved);
  ASSERT_TRUE(resumed.ok());
  EXPECT_EQ(resumed->plan.launches, outcome->plan.launches);
  EXPECT_EQ(resumed->recording.looks, outcome->recording.looks);
}

TEST(Protocol, the_sentinel_runs_where_the_arms_are_pinned) {
  const Surroundings pinned = real_surroundings({0});
  EXPECT_GT(pinned.sentinel_ns(), 1e4);
  EXPECT_NE(pinned.machine_json().find("usable_cpus"), std::string::npos);
}

TEST(Protocol, a_recording_of_something_else_is_not_resumed) {
  Ledger ledger;
  const auto done = run_session(small_plan(), kTwo, launcher_of(ledger), surroundings_of(ledger));
  ASSERT_TRUE(done.ok());
  std::vector<Arm> changed = kTwo;
  changed[1].key = "another model";
  Ledger second;
  second.now_ns = 99;
  const auto again = run_session(small_plan(), changed, launcher_of(second), surroundings_of(second), {}, {},
                                 done->recording);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(second.launched.size(), 8U);
  EXPECT_NE(again->recording.session, done->recording.session);
}

TEST(Protocol, a_finished_recording_is_judged_without_running_anything) {
  Ledger ledger;
  const auto done = run_session(small_plan(), kTwo, launcher_of(ledger), surroundings_of(ledger));
  ASSERT_TRUE(done.ok());
  Ledger second;
  const auto again =
      run_session(small_plan(), kTwo, launcher_of(second), surroundings_of(second), {}, {}, done->recording);
  ASSERT_TRUE(again.ok());
  EXPECT_TRUE(second.launched.empty());
}

TEST(Protocol, one_arm_alone_is_measured_and_not_judged) {
  Ledger ledger;
  const auto outcome = run_session(small_plan(), {kTwo[0]}, launcher_of(ledger), surroundings_of(ledger));
  ASSERT_TRUE(outcome.ok()) << outcome.error().message();
  EXPECT_EQ(outcome->recording.arms.at(0).launches.size(), 3U);
  EXPECT_TRUE(outcome->judgement.verdicts.empty());
}

TEST(Protocol, an_arm_may_want_its_own_number_of_runs_and_of_warm_ups) {
  Ledger ledger;
  std::vector<Arm> arms = kTwo;
  arms[0].total_runs = 31;  // of six blocks
  arms[1].total_runs = 6;
  arms[1].fewest_warmup = 40;
  const auto outcome = run_session(small_plan(), arms, launcher_of(ledger), surroundings_of(ledger));
  ASSERT_TRUE(outcome.ok()) << outcome.error().message();
  EXPECT_EQ(ledger.launched.size(), 3U * 2) << "nothing is left to find out before the first launch";
  for (std::size_t arm = 0; arm < 2; ++arm) {
    EXPECT_EQ(outcome->recording.arms[arm].runs_ms().size(), arms[arm].total_runs);
    const LaunchRecord& launch = outcome->recording.arms[arm].launches.at(0);
    for (const Block& block : launch.blocks) EXPECT_GE(block.runs_ms.size(), arms[arm].total_runs / 6);
    EXPECT_EQ(launch.warmup_ms.size() >= 40, arm == 1) << launch.warmup_ms.size();
  }
}

TEST(Protocol, an_arm_that_warms_itself_is_not_warmed) {
  Ledger ledger;
  std::vector<Arm> arms = kTwo;
  arms[1].warms_itself = true;
  const auto outcome = run_session(small_plan(), arms, launcher_of(ledger), surroundings_of(ledger));
  ASSERT_TRUE(outcome.ok()) << outcome.error().message();
  EXPECT_FALSE(outcome->recording.arms[0].launches.at(0).warmup_ms.empty());
  EXPECT_TRUE(outcome->recording.arms[1].launches.at(0).warmup_ms.empty());
}

TEST(Protocol, a_launch_holds_what_its_worker_told_of_itself) {
  class Telling : public Worker {
    Result<std::vector<double>> run(std::uint32_t runs) override {
      total_ += runs;
      return std::vector<double>(runs, 1e6);
    }
    Figures figures() const override { return {{"runs", total_}}; }
    double total_ = 0;
  };
  Ledger ledger;
  std::vector<std::string> begun;
  SessionHooks hooks;
  hooks.begin = [&](std::string_view phase, std::uint32_t launch) {
    begun.push_back(std::string(phase) + std::to_string(launch));
  };
  Plan plan = small_plan();
  plan.launches = 2;
  plan.control_launches = 1;
  for (const bool concurrent : {true, false}) {
    plan.concurrent = concurrent;
    const auto outcome = run_session(
        plan, kTwo,
        [](std::size_t) -> Result<std::unique_ptr<Worker>> { return std::unique_ptr<Worker>(new Telling); },
        surroundings_of(ledger), hooks);
    ASSERT_TRUE(outcome.ok()) << outcome.error().message();
    for (const ArmSamples& arm : outcome->recording.arms) {
      for (const LaunchRecord& launch : arm.launches) {
        std::size_t runs = launch.warmup_ms.size();
        for (const Block& block : launch.blocks) runs += block.runs_ms.size() + block.switch_ms.size();
        EXPECT_EQ(launch.figures.at("runs"), runs);
      }
    }
  }
  begun.resize(5);
  EXPECT_EQ(begun, (std::vector<std::string>{"probe0", "probe1", "control0", "measure0", "measure1"}));
}

TEST(Protocol, a_plan_that_cannot_work_names_the_field) {
  Ledger ledger;
  const auto error_of = [&](const Plan& plan, const std::vector<Arm>& arms) {
    const auto outcome = run_session(plan, arms, launcher_of(ledger), surroundings_of(ledger));
    return outcome.ok() ? std::string("(accepted)") : outcome.error().message();
  };
  Plan plan = small_plan();
  EXPECT_THAT(error_of(plan, {}), HasSubstr("found no arm"));
  plan.launches = 0;
  EXPECT_THAT(error_of(plan, kTwo), HasSubstr("launches: found 0"));
  plan = small_plan();
  plan.looks = {2, 2, 3};
  EXPECT_THAT(error_of(plan, kTwo), HasSubstr("must ascend"));
  EXPECT_THAT(error_of(small_plan(), {{"a", "", 1, 5}}), HasSubstr("fewer than the 6 blocks"));
  plan.looks = {2};
  EXPECT_THAT(error_of(plan, kTwo), HasSubstr("the last is 2, want 3"));
  EXPECT_TRUE(ledger.launched.empty());
}

TEST(Protocol, a_worker_that_returns_too_few_times_is_a_failed_run) {
  class Short : public Worker {
    Result<std::vector<double>> run(std::uint32_t) override { return std::vector<double>{1e6}; }
  };
  Ledger ledger;
  Plan plan = small_plan();
  plan.warmup_runs = 0;
  const auto outcome = run_session(
      plan, kTwo,
      [](std::size_t) -> Result<std::unique_ptr<Worker>> { return std::unique_ptr<Worker>(new Short); },
      surroundings_of(ledger));
  ASSERT_FALSE(outcome.ok());
  EXPECT_THAT(outcome.error().message(), HasSubstr("returned 1 times of"));
}

// ---- With a known truth, under noise.

Plan simulated_plan() {
  Plan plan;
  plan.control_launches = 0;
  plan.block_seconds = 0.005;
  return plan;
}

struct Rates {
  int claims_of_nothing = 0;
  int excludes_nothing = 0;
  int finds_two_percent = 0;
  int finds_five_percent = 0;
};

Rates rates_of(const NoiseModel& model, int trials) {
  Rates rates;
  for (int trial = 0; trial < trials; ++trial) {
    SimulatedMachine machine(model, 500 + static_cast<std::uint64_t>(trial));
    Plan plan = simulated_plan();
    plan.seed = static_cast<std::uint64_t>(trial);
    RecordingOptions options;
    options.judge.resamples = 100;
    const auto outcome =
        run_session(plan, {{"a", "", 1}, {"a again", "", 1}, {"b", "", 1}, {"c", "", 1}},
                    machine.launcher({1, 1, 1.02, 1.05}), machine.surroundings(), {}, options);
    EXPECT_TRUE(outcome.ok());
    const std::vector<Verdict>& verdicts = outcome->judgement.verdicts;
    rates.claims_of_nothing +=
        verdicts[0].claim == Claim::kFaster || verdicts[0].claim == Claim::kSlower ? 1 : 0;
    rates.excludes_nothing += verdicts[0].interval.contains(1) ? 0 : 1;
    rates.finds_two_percent += verdicts[1].claim == Claim::kSlower ? 1 : 0;
    rates.finds_five_percent += verdicts[2].claim == Claim::kSlower ? 1 : 0;
  }
  return rates;
}

TEST(Protocol, identical_arms_alarm_rarely_and_real_differences_are_found_under_every_noise) {
  for (const NoiseModel& model : noise_models()) {
    constexpr int kTrials = 50;
    const Rates rates = rates_of(model, kTrials);
    EXPECT_LE(rates.claims_of_nothing, 2) << model.name;
    EXPECT_LE(rates.excludes_nothing, 8) << model.name;
    EXPECT_GE(rates.finds_two_percent, 47) << model.name;
    EXPECT_GE(rates.finds_five_percent, 49) << model.name;
  }
}

TEST(Protocol, planned_looks_stop_early_for_large_differences_only_and_alarm_no_more_often) {
  Plan plan = simulated_plan();
  plan.launches = 24;
  plan.looks = {12, 18, 24};
  RecordingOptions options;
  options.judge.resamples = 100;
  options.judge.margin = 0;  // so that every interval without 1 is a claim
  int alarms = 0;
  int early = 0;
  constexpr int kTrials = 80;
  for (int trial = 0; trial < kTrials; ++trial) {
    SimulatedMachine machine(noise_models()[5], 900 + static_cast<std::uint64_t>(trial));
    plan.seed = static_cast<std::uint64_t>(trial);
    const auto outcome = run_session(plan, kTwo, machine.launcher({1, trial % 2 == 0 ? 1.0 : 1.05}),
                                     machine.surroundings(), {}, options);
    ASSERT_TRUE(outcome.ok());
    const bool claimed = outcome->judgement.verdicts[0].claim != Claim::kInconclusive;
    if (trial % 2 == 0) alarms += claimed ? 1 : 0;
    if (trial % 2 == 1) early += outcome->stopped_early && claimed ? 1 : 0;
  }
  EXPECT_LE(alarms, 6);  // of 40
  EXPECT_GE(early, 38);  // of 40
}

TEST(Protocol, the_verdict_recomputed_from_the_file_is_the_same_to_the_last_bit) {
  SimulatedMachine machine(noise_models()[6], 3);
  Plan plan = simulated_plan();
  plan.control_launches = 6;
  const auto outcome = run_session(plan, kTwo, machine.launcher({1, 1.03}), machine.surroundings());
  ASSERT_TRUE(outcome.ok());
  const auto read = parse_recording(recording_to_json(outcome->recording));
  ASSERT_TRUE(read.ok()) << read.error().message();
  const auto again = judge_recording(*read);
  ASSERT_TRUE(again.ok());
  const Verdict& first = outcome->judgement.verdicts.at(0);
  const Verdict& second = again->verdicts.at(0);
  EXPECT_EQ(first.claim, second.claim);
  EXPECT_EQ(first.ratio, second.ratio);
  EXPECT_EQ(first.interval.low, second.interval.low);
  EXPECT_EQ(first.interval.high, second.interval.high);
  EXPECT_EQ(outcome->judgement.control.noise_floor, again->control.noise_floor);
}

TEST(Protocol, everything_is_a_function_of_the_seed) {
  const auto text_of = [](std::uint64_t seed) {
    SimulatedMachine machine(noise_models()[6], 3);
    Plan plan = simulated_plan();
    plan.launches = 3;
    plan.seed = seed;
    return recording_to_json(
        run_session(plan, kTwo, machine.launcher({1, 1.03}), machine.surroundings())->recording);
  };
  EXPECT_EQ(text_of(4), text_of(4));
  EXPECT_NE(text_of(4), text_of(5));
}

}  // namespace
}  // namespace etalon::measure
