#include "measure/budget.h"

#include <gtest/gtest.h>

#include <vector>

namespace etalon::measure {
namespace {

const std::vector<ArmCost> kTwo = {{0.2, 0.005}, {0.3, 0.010}};

TEST(Budget, the_slowest_arm_decides_how_many_runs_fit_a_block) {
  Plan plan;
  plan.block_seconds = 0.09;
  EXPECT_EQ(runs_for_block(plan, kTwo), 10U);  // nine, and even for the way there and back
  plan.mirrored = false;
  EXPECT_EQ(runs_for_block(plan, kTwo), 9U);
  plan.block_seconds = 0.001;
  EXPECT_EQ(runs_for_block(plan, kTwo), plan.fewest_runs);
  plan.block_seconds = 1e6;
  EXPECT_EQ(runs_for_block(plan, kTwo), plan.most_runs);
  EXPECT_EQ(runs_for_block(plan, {}), plan.fewest_runs);
}

TEST(Budget, the_time_of_a_plan_is_that_of_its_parts) {
  Plan plan;
  plan.launches = 10;
  plan.blocks_per_launch = 2;
  plan.control_launches = 4;
  plan.block_seconds = 0.1;  // 10 runs, 12 calls of each arm
  const double launch = 0.5 + 2 * (12 * 0.015 + 0.001);
  const double control = 0.4 + 2 * (12 * 0.010 + 0.001);
  EXPECT_NEAR(expected_seconds(plan, kTwo), 10 * launch + 4 * control, 1e-9);
}

TEST(Budget, a_plan_that_fits_is_left_alone) {
  Plan plan;
  plan.looks = {6, 12};
  const Plan fitted = fit_to_budget(plan, kTwo, 1000);
  EXPECT_EQ(fitted.launches, plan.launches);
  EXPECT_EQ(fitted.looks, plan.looks);
  EXPECT_EQ(fitted.block_seconds, plan.block_seconds);
}

TEST(Budget, blocks_are_cut_before_launches) {
  Plan plan;
  plan.looks = {6, 12};
  const double full = expected_seconds(plan, kTwo);
  const Plan shorter = fit_to_budget(plan, kTwo, 0.9 * full);
  EXPECT_EQ(shorter.launches, 12U);
  EXPECT_LE(expected_seconds(shorter, kTwo), 0.9 * full);
  const Plan fewer = fit_to_budget(plan, kTwo, 0.6 * full);
  EXPECT_LT(fewer.launches, 12U);
  EXPECT_GE(fewer.launches, 6U);
  EXPECT_TRUE(fewer.looks.empty());
  EXPECT_LE(expected_seconds(fewer, kTwo), 0.6 * full);
}

TEST(Budget, six_launches_are_the_fewest) {
  const Plan fitted = fit_to_budget(Plan(), kTwo, 0.001);
  EXPECT_EQ(fitted.launches, 6U);
  EXPECT_EQ(fitted.blocks_per_launch, 1U);
  EXPECT_EQ(fitted.control_launches, 3U);
  Plan small;
  small.launches = 3;
  small.control_launches = 0;
  EXPECT_EQ(fit_to_budget(small, kTwo, 0.001).launches, 3U);
  EXPECT_EQ(fit_to_budget(small, kTwo, 0.001).control_launches, 0U);
}

}  // namespace
}  // namespace etalon::measure
