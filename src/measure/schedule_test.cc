#include "measure/schedule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <vector>

#include "measure/statistics.h"

namespace etalon::measure {
namespace {

TEST(Schedule, every_iteration_is_run_exactly_once) {
  for (const std::uint32_t count : {1U, 5U, 6U, 10U, 29U, 30U, 101U}) {
    const std::vector<std::uint32_t> iterations = {count, 7};
    std::vector<std::uint32_t> sum(2);
    for (const Launch& launch : schedule_launches(iterations, Design::kInterleaved, 3)) {
      EXPECT_GT(launch.iterations, 0U);
      sum[launch.run] += launch.iterations;
    }
    EXPECT_EQ(sum[0], count);
    EXPECT_EQ(sum[1], 7U);
  }
}

TEST(Schedule, each_round_holds_every_run_once) {
  const std::vector<std::uint32_t> iterations = {100, 100, 100};
  const auto launches = schedule_launches(iterations, Design::kInterleaved, 11);
  ASSERT_EQ(launches.size(), 15U);
  for (std::size_t round = 0; round < 5; ++round) {
    std::set<std::size_t> seen;
    for (std::size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(launches[round * 3 + i].round, round);
      seen.insert(launches[round * 3 + i].run);
    }
    EXPECT_EQ(seen.size(), 3U);
  }
}

TEST(Schedule, the_order_is_drawn_and_depends_on_the_seed_alone) {
  const std::vector<std::uint32_t> iterations = {100, 100, 100, 100};
  const auto order = [&](std::uint64_t seed) {
    std::vector<std::size_t> runs;
    for (const Launch& launch : schedule_launches(iterations, Design::kInterleaved, seed))
      runs.push_back(launch.run);
    return runs;
  };
  EXPECT_EQ(order(5), order(5));
  EXPECT_NE(order(5), order(6));
}

TEST(Schedule, two_runs_each_go_first_about_half_of_the_time) {
  const std::vector<std::uint32_t> iterations = {6, 6};
  int first = 0;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    first += schedule_launches(iterations, Design::kInterleaved, seed)[0].run == 0 ? 1 : 0;
  }
  EXPECT_NEAR(first, 500, 80);
}

TEST(Schedule, sequential_means_one_process_each_in_the_order_given) {
  const std::vector<std::uint32_t> iterations = {100, 50};
  const auto launches = schedule_launches(iterations, Design::kSequential, 1);
  ASSERT_EQ(launches.size(), 2U);
  EXPECT_EQ(launches[0].run, 0U);
  EXPECT_EQ(launches[0].iterations, 100U);
  EXPECT_EQ(launches[1].iterations, 50U);
}

TEST(Statistics, agree_with_numpy) {
  const std::vector<double> samples = {4, 1, 3, 2, 10};
  const Summary summary = summarize(samples);
  EXPECT_EQ(summary.count, 5U);
  EXPECT_DOUBLE_EQ(summary.median, 3);
  EXPECT_DOUBLE_EQ(summary.mean, 4);
  EXPECT_DOUBLE_EQ(summary.min, 1);
  EXPECT_DOUBLE_EQ(summary.max, 10);
  EXPECT_DOUBLE_EQ(summary.p95, 8.8);
  EXPECT_NEAR(summary.stdev, 3.5355339059327378, 1e-12);
  EXPECT_NEAR(summary.cv_percent, 88.388347648318444, 1e-9);
}

TEST(Statistics, one_sample_has_no_spread_and_none_has_no_count) {
  EXPECT_EQ(summarize(std::vector<double>{2.5}).stdev, 0);
  EXPECT_EQ(summarize(std::vector<double>{2.5}).p95, 2.5);
  EXPECT_EQ(summarize({}).count, 0U);
}

}  // namespace
}  // namespace etalon::measure
