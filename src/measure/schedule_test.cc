#include "measure/schedule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

namespace etalon::measure {
namespace {

Plan plan_of(std::vector<std::uint32_t> runs) { return plan_for_runs(runs); }

TEST(Schedule, more_runs_are_spread_over_more_launches) {
  EXPECT_EQ(launches_for(1), 1U);
  EXPECT_EQ(launches_for(5), 1U);
  EXPECT_EQ(launches_for(6), 3U);
  EXPECT_EQ(launches_for(12), 6U);
  EXPECT_EQ(launches_for(60), 10U);
  EXPECT_EQ(launches_for(1'000'000), 10U);
}

TEST(Schedule, no_block_is_left_without_a_run) {
  for (const std::uint32_t fewest : {1U, 2U, 5U, 6U, 11U, 12U, 30U, 59U, 60U, 100U, 301U, 1000U}) {
    const Plan plan = plan_of({1000, fewest, 100});
    EXPECT_GE(plan.launches, 1U);
    EXPECT_GE(fewest, plan.launches * plan.blocks_per_launch) << fewest;
  }
}

TEST(Schedule, blocks_are_many_where_runs_are) {
  EXPECT_EQ(plan_of({100}).blocks_per_launch, 1U);
  EXPECT_EQ(plan_of({200}).blocks_per_launch, 2U);
  EXPECT_EQ(plan_of({1'000'000}).blocks_per_launch, 3U);
}

TEST(Schedule, a_control_is_planned_where_a_verdict_can_be_expected) {
  EXPECT_EQ(plan_of({100}).control_launches, 0U);
  EXPECT_EQ(plan_of({10, 10}).control_launches, 0U);
  EXPECT_EQ(plan_of({20, 100}).control_launches, 5U);
  EXPECT_EQ(plan_of({100, 100}).control_launches, 5U);
}

TEST(Schedule, each_round_holds_everyone_once_in_an_order_that_the_seed_alone_decides) {
  const auto rounds = draw_rounds(4, 200, 5);
  EXPECT_EQ(rounds, draw_rounds(4, 200, 5));
  EXPECT_NE(rounds, draw_rounds(4, 200, 6));
  std::set<std::vector<std::size_t>> seen;
  for (std::vector<std::size_t> order : rounds) {
    seen.insert(order);
    std::sort(order.begin(), order.end());
    EXPECT_THAT(order, ::testing::ElementsAre(0, 1, 2, 3));
  }
  EXPECT_EQ(seen.size(), 24U) << "of 200 draws, every order should have come up";
}

}  // namespace
}  // namespace etalon::measure
