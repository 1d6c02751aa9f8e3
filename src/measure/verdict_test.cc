#include "measure/verdict.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "measure/random.h"

namespace etalon::measure {
namespace {

using ::testing::HasSubstr;

// `launches` x 3 blocks around `effect`, with differences between processes and between blocks.
PairedRatios ratios_around(double effect, std::size_t launches, std::uint64_t seed, double process = 0.002,
                           double block = 0.002) {
  Random random(seed);
  PairedRatios ratios;
  for (std::size_t i = 0; i < launches; ++i) {
    const double shift = std::log1p(effect) + process * random.normal();
    std::vector<double>& blocks = ratios.launches.emplace_back();
    for (int j = 0; j < 3; ++j) blocks.push_back(shift + block * random.normal());
  }
  return ratios;
}

TEST(Verdict, names_what_is_slower_and_by_how_much) {
  const Verdict verdict = judge(ratios_around(0.05, 12, 1));
  EXPECT_EQ(verdict.claim, Claim::kSlower);
  EXPECT_NEAR(verdict.ratio, 1.05, 0.003);
  EXPECT_GT(verdict.interval.low, 1.04);
  EXPECT_LT(verdict.interval.high, 1.06);
  EXPECT_TRUE(verdict.interval.contains(verdict.ratio));
  EXPECT_EQ(verdict.unit, Unit::kLaunch);
  EXPECT_EQ(verdict.units, 12U);
  EXPECT_EQ(verdict.blocks, 36U);
  EXPECT_LT(verdict.p_value, 0.001);
  EXPECT_EQ(verdict.launches_needed, 0U);
  EXPECT_EQ(judge(ratios_around(-0.05, 12, 1)).claim, Claim::kFaster);
}

TEST(Verdict, swapping_the_arms_swaps_the_claim_and_inverts_the_ratio) {
  PairedRatios ratios = ratios_around(0.03, 10, 5);
  const Verdict forward = judge(ratios);
  for (auto& launch : ratios.launches) {
    for (double& value : launch) value = -value;
  }
  const Verdict back = judge(ratios);
  EXPECT_EQ(forward.claim, Claim::kSlower);
  EXPECT_EQ(back.claim, Claim::kFaster);
  EXPECT_NEAR(back.ratio, 1 / forward.ratio, 1e-12);
  EXPECT_NEAR(back.interval.low, 1 / forward.interval.high,
              2e-3);  // the bootstrap draws differ in their ties
}

TEST(Verdict, the_same_is_equivalent_and_not_merely_undecided) {
  const Verdict verdict = judge(ratios_around(0, 12, 3));
  EXPECT_EQ(verdict.claim, Claim::kEquivalent);
  EXPECT_NEAR(verdict.equivalence_margin, 0.01, 1e-12);
  EXPECT_GT(verdict.equivalence_interval.low, 0.99);
}

TEST(Verdict, a_certain_difference_too_small_to_matter_is_equivalent) {
  const Verdict verdict = judge(ratios_around(0.004, 12, 4, 0.0005, 0.0005));
  EXPECT_GT(verdict.interval.low, 1.002);
  EXPECT_EQ(verdict.claim, Claim::kEquivalent);
  JudgeOptions strict;
  strict.margin = 0;
  EXPECT_EQ(judge(ratios_around(0.004, 12, 4, 0.0005, 0.0005), strict).claim, Claim::kSlower);
}

TEST(Verdict, wide_noise_is_inconclusive_and_says_how_much_more_is_needed) {
  const Verdict verdict = judge(ratios_around(0.02, 8, 2, 0.04));
  EXPECT_EQ(verdict.claim, Claim::kInconclusive);
  EXPECT_GT(verdict.launches_needed, 8U);
  EXPECT_LT(verdict.launches_needed, 500U);
  EXPECT_GT(verdict.smallest_effect, 0.02);
}

TEST(Verdict, one_disturbed_launch_does_not_hide_a_difference) {
  PairedRatios ratios = ratios_around(0.05, 12, 1);
  for (double& value : ratios.launches[4]) value = -0.8;
  const Verdict verdict = judge(ratios);
  EXPECT_EQ(verdict.claim, Claim::kSlower);
  EXPECT_NEAR(verdict.ratio, 1.05, 0.01);
}

TEST(Verdict, five_launches_are_judged_by_student_and_two_by_their_blocks) {
  const Verdict five = judge(ratios_around(0.05, 5, 7));
  EXPECT_EQ(five.claim, Claim::kSlower);
  EXPECT_EQ(five.units, 5U);
  const Verdict two = judge(ratios_around(0.05, 2, 7));
  EXPECT_EQ(two.unit, Unit::kBlock);
  EXPECT_EQ(two.units, 6U);
  const Verdict nothing = judge(PairedRatios{});
  EXPECT_EQ(nothing.claim, Claim::kInconclusive);
  EXPECT_EQ(nothing.p_value, 1);
  EXPECT_TRUE(std::isinf(nothing.interval.high));
}

TEST(Verdict, between_sessions_only_large_differences_are_believed) {
  PairedRatios ratios = ratios_around(0.04, 12, 1);
  ratios.interleaved = false;
  EXPECT_EQ(judge(ratios).claim, Claim::kInconclusive);
  PairedRatios large = ratios_around(0.30, 12, 1);
  large.interleaved = false;
  EXPECT_EQ(judge(large).claim, Claim::kSlower);
  PairedRatios same = ratios_around(0, 12, 1);
  same.interleaved = false;
  EXPECT_EQ(judge(same).claim, Claim::kInconclusive);
}

TEST(Verdict, a_control_that_alarms_must_be_cleared) {
  const Control control = judge_control(ratios_around(0.03, 8, 2), 12);
  EXPECT_TRUE(control.alarmed);
  EXPECT_GT(control.noise_floor, 0.025);
  const JudgeOptions informed = with_control({}, control);
  const Verdict within = judge(ratios_around(0.02, 12, 1), informed);
  EXPECT_NE(within.claim, Claim::kSlower);
  EXPECT_TRUE(within.control_alarmed);
  EXPECT_EQ(judge(ratios_around(0.10, 12, 1), informed).claim, Claim::kSlower);
}

TEST(Verdict, a_silent_control_gives_the_floor_and_the_smallest_visible_effect) {
  const Control control = judge_control(ratios_around(0, 8, 6), 12);
  EXPECT_FALSE(control.alarmed);
  EXPECT_GT(control.noise_floor, 0);
  EXPECT_LT(control.noise_floor, 0.01);
  EXPECT_GT(control.smallest_effect, 0.001);
  EXPECT_LT(control.smallest_effect, 0.01);
  EXPECT_EQ(with_control({}, Control{}).smallest_effect, 0);
}

TEST(Verdict, the_margin_of_equivalence_is_widened_by_the_noise_but_not_beyond_5_percent) {
  JudgeOptions options;
  options.smallest_effect = std::log1p(0.03);
  EXPECT_NEAR(judge(ratios_around(0, 12, 1), options).equivalence_margin, 0.03, 1e-12);
  options.smallest_effect = std::log1p(0.5);
  EXPECT_NEAR(judge(ratios_around(0, 12, 1), options).equivalence_margin, 0.05, 1e-12);
}

TEST(Verdict, a_family_of_equal_operators_is_silent_and_real_changes_are_found) {
  int false_claims = 0;
  int found = 0;
  for (std::uint64_t trial = 0; trial < 20; ++trial) {
    std::vector<PairedRatios> operators;
    for (std::uint64_t i = 0; i < 60; ++i) {
      operators.push_back(ratios_around(i < 5 ? 0.08 : 0, 12, trial * 1000 + i, 0.004, 0.004));
    }
    JudgeOptions options;
    options.margin = 0;
    options.resamples = 300;
    const std::vector<Verdict> verdicts = judge_family(operators, Family::kHolm, options);
    for (std::size_t i = 0; i < verdicts.size(); ++i) {
      const bool claimed = verdicts[i].claim == Claim::kSlower || verdicts[i].claim == Claim::kFaster;
      if (i < 5) found += claimed ? 1 : 0;
      if (i >= 5) false_claims += claimed ? 1 : 0;
    }
  }
  EXPECT_LE(false_claims, 3);  // of 1100, where 55 are expected without correction
  EXPECT_GE(found, 97);        // of 100
}

ArmSamples arm_of(const std::string& name, const std::vector<double>& medians) {
  ArmSamples arm;
  arm.name = name;
  for (std::size_t i = 0; i < medians.size(); ++i) {
    LaunchRecord& launch = arm.launches.emplace_back();
    launch.index = static_cast<std::uint32_t>(i);
    launch.blocks.push_back(
        {0, 0, 0, {medians[i] * 0.9, medians[i], medians[i] * 1.2}, {}, 0, 0, false, false});
  }
  return arm;
}

TEST(Verdict, blocks_are_paired_by_launch_and_index) {
  const ArmSamples off = arm_of("off", {1, 2, 4});
  ArmSamples on = arm_of("on", {2, 4, 8});
  std::swap(on.launches[0], on.launches[2]);  // order in the file does not matter
  const auto ratios = pair_arms(off, on);
  ASSERT_TRUE(ratios.ok());
  ASSERT_EQ(ratios->launches.size(), 3U);
  for (const auto& launch : ratios->launches) EXPECT_NEAR(launch.at(0), std::log(2.0), 1e-12);
}

TEST(Verdict, voided_blocks_and_missing_launches_are_left_out_and_counted) {
  ArmSamples off = arm_of("off", {1, 2, 4});
  ArmSamples on = arm_of("on", {2, 4});
  Block voided = off.launches[0].blocks[0];
  voided.voided = true;
  voided.runs_ms = {1000};
  off.launches[0].blocks.insert(off.launches[0].blocks.begin(), voided);
  on.launches[1].steadiness = "unsteady";
  on.launches[1].blocks[0].disturbed = true;
  const auto ratios = pair_arms(off, on);
  ASSERT_TRUE(ratios.ok());
  EXPECT_EQ(ratios->launches.size(), 2U);
  EXPECT_NEAR(ratios->launches[0].at(0), std::log(2.0), 1e-12);
  EXPECT_EQ(ratios->voided, 1U);
  EXPECT_EQ(ratios->disturbed, 1U);
  EXPECT_EQ(ratios->unsteady, 1U);
}

TEST(Verdict, arms_without_a_common_block_are_an_error_that_names_both) {
  const auto ratios = pair_arms(arm_of("off", {}), arm_of("on", {1}));
  ASSERT_FALSE(ratios.ok());
  EXPECT_THAT(ratios.error().message(), HasSubstr("\"off\" and \"on\" have no block"));
  EXPECT_THAT(pair_sessions(arm_of("off", {1}), arm_of("on", {})).error().message(),
              HasSubstr("\"on\" holds no runs"));
}

TEST(Verdict, a_recording_of_one_arm_cannot_be_judged) {
  Recording recording;
  recording.arms.push_back(arm_of("off", {1}));
  EXPECT_THAT(judge_recording(recording).error().message(), HasSubstr("found 1 arm, want a baseline"));
}

TEST(Verdict, a_recording_broken_off_before_its_first_look_claims_nothing) {
  Recording recording;
  recording.arms = {arm_of("off", {1, 1.01, 1, 0.99, 1, 1.01, 1, 1}),
                    arm_of("on", {2, 2, 2.01, 2, 2, 2.02, 2, 2.01})};
  recording.looks = {12, 24};
  const auto early = judge_recording(recording);
  ASSERT_TRUE(early.ok());
  EXPECT_EQ(early->verdicts.at(0).claim, Claim::kInconclusive);
  EXPECT_TRUE(std::isinf(early->verdicts.at(0).interval.high));
  recording.looks = {8};
  EXPECT_EQ(judge_recording(recording)->verdicts.at(0).claim, Claim::kSlower);
}

}  // namespace
}  // namespace etalon::measure
