#include "analysis/comparison.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "analysis/comparison_testing.h"
#include "measure/random.h"

namespace etalon::analysis {
namespace {

// Launch medians around `ms` that all operators of one launch share in part, as launches do.
std::vector<double> launches_around(double ms, std::uint64_t seed, std::size_t count = 12,
                                    double noise = 0.01) {
  measure::Random random(seed);
  std::vector<double> values;
  for (std::size_t i = 0; i < count; ++i) values.push_back(ms * (1 + noise * (2 * random.uniform() - 1)));
  return values;
}

ProfileBuilder& timed(ProfileBuilder& builder, const std::string& name, double ms, std::uint64_t seed) {
  return builder.op(name, ms).launches(launches_around(ms, seed));
}

double sum_of(const Comparison& comparison) {
  double sum = 0;
  for (const WaterfallStep& step : comparison.waterfall) sum += step.delta_ms;
  return sum;
}

const WaterfallStep* step_of(const Comparison& comparison, StepKind kind) {
  for (const WaterfallStep& step : comparison.waterfall) {
    if (step.kind == kind) return &step;
  }
  return nullptr;
}

Comparison compare(const Profile& baseline, const Profile& candidate) {
  Comparison comparison;
  comparison.interleaved = true;
  compare_profiles(baseline, candidate, comparison);
  return comparison;
}

TEST(Comparison, planted_changes_appear_as_steps_that_sum_to_the_difference) {
  ProfileBuilder before;
  before.op("Convolution (NHWC, F32) IGEMM #1", 4).kernel("igemm", "avx2");
  before.op("Softmax (NC, F32) #1", 2).kernel("softmax", "avx2");
  before.op("Transpose (ND, X32) #1", 1);
  before.op("Tangent (NC) #1", 0.5);
  ProfileBuilder after;
  after.op("Convolution (NHWC, F32) IGEMM #1", 1).kernel("igemm", "avx512");
  after.op("Softmax (NC, F32) #1", 2.25).kernel("softmax", "avx2");
  after.op("Convert (NC) #1", 0.125);
  after.op("Sigmoid (NC) #1", 0.75);
  const Comparison comparison = compare(before.profile(0.25, 0.125), after.profile(0.5, 0.0625));
  ASSERT_DOUBLE_EQ(comparison.baseline_ms, 7.875);
  ASSERT_DOUBLE_EQ(comparison.candidate_ms, 4.6875);
  EXPECT_DOUBLE_EQ(sum_of(comparison), comparison.candidate_ms - comparison.baseline_ms);
  EXPECT_DOUBLE_EQ(step_of(comparison, StepKind::kKernel)->delta_ms, -3);
  EXPECT_DOUBLE_EQ(step_of(comparison, StepKind::kSameKernel)->delta_ms, 0.25);
  EXPECT_DOUBLE_EQ(step_of(comparison, StepKind::kLayout)->delta_ms, -1);
  EXPECT_DOUBLE_EQ(step_of(comparison, StepKind::kRemoved)->delta_ms, -0.5);
  EXPECT_DOUBLE_EQ(step_of(comparison, StepKind::kConversion)->delta_ms, 0.125);
  EXPECT_DOUBLE_EQ(step_of(comparison, StepKind::kAdded)->delta_ms, 0.75);
  EXPECT_DOUBLE_EQ(step_of(comparison, StepKind::kFramework)->delta_ms, 0.25);
  EXPECT_DOUBLE_EQ(step_of(comparison, StepKind::kResidual)->delta_ms, -0.0625);
  EXPECT_EQ(comparison.waterfall.front().kind, StepKind::kKernel);
  EXPECT_EQ(comparison.waterfall.back().kind, StepKind::kResidual);
  EXPECT_EQ(comparison.kernels.compared, 2U);
  EXPECT_EQ(comparison.kernels.changed, 1U);
}

TEST(Comparison, a_conversion_inside_a_group_is_a_step_of_its_own) {
  ProfileBuilder before;
  before.op("Fully Connected (NC, F32) GEMM #1", 4);
  ProfileBuilder after;
  after.op("Convert (NC, F32, QDU8) #1", 0.5).op("Fully Connected (NC, QDU8, F32, QC8W) GEMM #1", 2);
  const Comparison comparison = compare(before.profile(), after.profile());
  ASSERT_EQ(comparison.operators.size(), 1U);
  EXPECT_DOUBLE_EQ(comparison.operators.front().delta_ms, -1.5);
  EXPECT_DOUBLE_EQ(step_of(comparison, StepKind::kConversion)->delta_ms, 0.5);
  EXPECT_DOUBLE_EQ(sum_of(comparison), -1.5);
  EXPECT_DOUBLE_EQ(comparison.matched_share, 1);
}

TEST(Comparison, times_of_the_session_scale_both_profiles) {
  const Profile profile = ProfileBuilder().op("convolution", 8).profile(2, 0);
  Comparison comparison;
  comparison.baseline_ms = 20;
  comparison.candidate_ms = 5;
  compare_profiles(profile, profile, comparison);
  ASSERT_EQ(comparison.operators.size(), 1U);
  EXPECT_DOUBLE_EQ(comparison.operators.front().baseline_ms, 16);
  EXPECT_DOUBLE_EQ(comparison.operators.front().candidate_ms, 4);
  EXPECT_DOUBLE_EQ(comparison.categories.front().baseline_ms, 16);
  EXPECT_DOUBLE_EQ(comparison.ratio, 0.25);
  EXPECT_NEAR(sum_of(comparison), -15, 1e-12);
}

TEST(Comparison, the_changed_operator_is_found_among_many_that_are_the_same) {
  ProfileBuilder before;
  ProfileBuilder after;
  for (std::uint64_t i = 0; i < 60; ++i) {
    const std::string name = "Convolution (NHWC, F32) IGEMM #" + std::to_string(i + 1);
    timed(before, name, 1, i);
    timed(after, name, i == 17 ? 1.1 : 1, 1000 + i);
  }
  const Comparison comparison = compare(before.profile(), after.profile());
  ASSERT_EQ(comparison.operators.size(), 60U);
  EXPECT_EQ(comparison.operators.front().label, "Convolution (NHWC, F32) IGEMM #18");
  std::size_t claims = 0;
  for (const OperatorMatch& match : comparison.operators) {
    ASSERT_TRUE(match.verdict.has_value());
    if (match.verdict->claim == measure::Claim::kSlower || match.verdict->claim == measure::Claim::kFaster)
      ++claims;
  }
  EXPECT_EQ(comparison.operators.front().verdict->claim, measure::Claim::kSlower);
  EXPECT_EQ(claims, 1U);
  const WaterfallStep* step = step_of(comparison, StepKind::kSameKernel);
  ASSERT_TRUE(step != nullptr && step->interval_ms.has_value());
  EXPECT_TRUE(step->interval_ms->contains(step->delta_ms));
}

// 20 pairs of identical profiles with 30 operators each. Claims of a family hold at 5 % together, so that
// about one of the 20 families may speak; four or more would in fewer than 2 of 100 repetitions of this test.
TEST(Comparison, identical_runs_are_silent) {
  std::size_t families_that_speak = 0;
  for (std::uint64_t trial = 0; trial < 20; ++trial) {
    ProfileBuilder before;
    ProfileBuilder after;
    for (std::uint64_t i = 0; i < 30; ++i) {
      timed(before, "Add (ND) #" + std::to_string(i), 1, trial * 1000 + i);
      timed(after, "Add (ND) #" + std::to_string(i), 1, trial * 1000 + 500 + i);
    }
    const Comparison comparison = compare(before.profile(), after.profile());
    families_that_speak +=
        std::any_of(comparison.operators.begin(), comparison.operators.end(), [](const auto& match) {
          return match.verdict->claim == measure::Claim::kSlower ||
                 match.verdict->claim == measure::Claim::kFaster;
        });
  }
  EXPECT_LE(families_that_speak, 3U);
}

TEST(Comparison, intervals_of_steps_cover_the_planted_difference) {
  std::size_t covered = 0;
  constexpr std::size_t kTrials = 100;
  for (std::uint64_t trial = 0; trial < kTrials; ++trial) {
    ProfileBuilder before;
    ProfileBuilder after;
    std::vector<double> a = launches_around(10, 2 * trial + 1, 12, 0.05);
    std::vector<double> b = launches_around(9, 2 * trial + 2, 12, 0.05);
    const auto mean = [](const std::vector<double>& values) {
      double sum = 0;
      for (const double value : values) sum += value / static_cast<double>(values.size());
      return sum;
    };
    before.op("convolution", mean(a)).launches(a);
    after.op("convolution", mean(b)).launches(b);
    const Comparison comparison = compare(before.profile(), after.profile());
    const WaterfallStep* step = step_of(comparison, StepKind::kSameKernel);
    ASSERT_TRUE(step->interval_ms.has_value());
    covered += step->interval_ms->contains(-1);
  }
  // 95 % is meant; the standard error of 100 trials is 2.2 %.
  EXPECT_GE(covered, kTrials * 88 / 100);
}

TEST(Comparison, operators_below_the_clock_are_judged_together) {
  ProfileBuilder before;
  ProfileBuilder after;
  for (std::uint64_t i = 0; i < 5; ++i) {
    timed(before, "Add (ND) #" + std::to_string(i), 0.002, i).too_short();
    timed(after, "Add (ND) #" + std::to_string(i), 0.004, 10 + i).too_short();
  }
  const Comparison comparison = compare(before.profile(), after.profile());
  ASSERT_EQ(comparison.operators.size(), 1U);
  EXPECT_EQ(comparison.operators.front().label, "Elementwise: 5 operators too short to time one by one");
  EXPECT_NEAR(comparison.operators.front().delta_ms, 0.01, 1e-12);
  EXPECT_EQ(comparison.operators.front().verdict->claim, measure::Claim::kSlower);
}

TEST(Comparison, without_launches_nothing_is_claimed) {
  const Profile before = ProfileBuilder().op("convolution", 2).profile();
  const Profile after = ProfileBuilder().op("convolution", 1).profile();
  const Comparison comparison = compare(before, after);
  EXPECT_FALSE(comparison.operators.front().verdict.has_value());
  for (const WaterfallStep& step : comparison.waterfall) EXPECT_FALSE(step.interval_ms.has_value());
}

TEST(Comparison, sums_are_exact_for_graphs_that_have_little_in_common) {
  ProfileBuilder before;
  ProfileBuilder after;
  measure::Random random(3);
  const std::vector<std::string> works = {"convolution", "add",          "hardtanh", "permute_copy",
                                          "softmax",     "Convert (NC)", "mean",     "DELEGATE_CALL"};
  for (int i = 0; i < 300; ++i) before.op(works[random.below(works.size())], random.uniform());
  for (int i = 0; i < 200; ++i) after.op(works[random.below(works.size())], random.uniform());
  const Comparison comparison = compare(before.profile(3, 0.1), after.profile(1, 0.3));
  EXPECT_NEAR(sum_of(comparison), comparison.candidate_ms - comparison.baseline_ms, 1e-10);
  double operators = 0;
  for (const OperatorMatch& match : comparison.operators) operators += match.delta_ms;
  EXPECT_NEAR(operators + 1 - 3 + 0.3 - 0.1, comparison.candidate_ms - comparison.baseline_ms, 1e-10);
  EXPECT_GT(comparison.matched_share, 0.5);
}

}  // namespace
}  // namespace etalon::analysis
