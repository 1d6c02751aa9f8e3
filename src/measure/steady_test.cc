#include "measure/steady.h"

#include <gtest/gtest.h>

#include <vector>

#include "measure/random.h"

namespace etalon::measure {
namespace {

std::vector<double> noisy(std::size_t count, double level, std::uint64_t seed, double noise = 0.004) {
  Random random(seed);
  std::vector<double> times(count);
  for (double& time : times) time = level * (1 + noise * random.normal());
  return times;
}

std::vector<double> joined(std::vector<double> first, const std::vector<double>& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

TEST(Steady, a_level_series_is_flat) {
  int flat = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    flat += find_steady_state(noisy(63, 1, seed)).kind == SteadyKind::kFlat ? 1 : 0;
  }
  EXPECT_GE(flat, 190);
}

TEST(Steady, a_few_slow_first_runs_are_warm_up) {
  const Steadiness found = find_steady_state(joined({1.6, 1.3, 1.1}, noisy(28, 1, 4)));
  EXPECT_EQ(found.kind, SteadyKind::kWarmUp);
  EXPECT_EQ(found.first_steady, 3U);
  EXPECT_NEAR(found.level, 1, 0.01);
}

TEST(Steady, a_long_warm_up_is_cut_where_it_ends) {
  const Steadiness found = find_steady_state(joined(noisy(20, 1.2, 1), noisy(40, 1, 2)));
  EXPECT_EQ(found.kind, SteadyKind::kWarmUp);
  EXPECT_NEAR(static_cast<double>(found.first_steady), 20, 1);
}

TEST(Steady, throttling_is_a_slowdown) {
  const Steadiness found = find_steady_state(joined(noisy(30, 1, 1), noisy(33, 1.3, 2)));
  EXPECT_EQ(found.kind, SteadyKind::kSlowdown);
  EXPECT_NEAR(static_cast<double>(found.first_steady), 30, 1);
}

TEST(Steady, a_series_that_keeps_falling_is_not_steady) {
  std::vector<double> times(40);
  for (std::size_t i = 0; i < times.size(); ++i) times[i] = 2 - 0.03 * static_cast<double>(i);
  const Steadiness found = find_steady_state(times);
  EXPECT_EQ(found.kind, SteadyKind::kUnsteady);
  EXPECT_EQ(found.first_steady, times.size());
  EXPECT_FALSE(found.steady());
}

TEST(Steady, single_spikes_do_not_matter) {
  std::vector<double> times = noisy(63, 1, 9);
  times[20] = 5;
  times[50] = 3;
  EXPECT_EQ(find_steady_state(times).kind, SteadyKind::kFlat);
}

TEST(Steady, shifts_below_one_percent_do_not_matter) {
  const Steadiness found = find_steady_state(joined(noisy(30, 1.006, 1, 0.0005), noisy(33, 1, 2, 0.0005)));
  EXPECT_TRUE(found.steady());
  EXPECT_EQ(found.first_steady, 0U);
}

TEST(Steady, short_and_empty_series_are_named_so) {
  EXPECT_EQ(find_steady_state({}).kind, SteadyKind::kTooShort);
  EXPECT_EQ(find_steady_state(noisy(7, 1, 1)).kind, SteadyKind::kTooShort);
  EXPECT_EQ(steadiness_name(SteadyKind::kTooShort), "too short");
}

TEST(Steady, equal_times_are_flat) {
  EXPECT_EQ(find_steady_state(std::vector<double>(20, 3.0)).kind, SteadyKind::kFlat);
}

TEST(Steady, a_very_long_series_is_judged_by_its_end) {
  const Steadiness found = find_steady_state(joined(noisy(9000, 1.5, 1), noisy(4000, 1, 2)));
  EXPECT_EQ(found.kind, SteadyKind::kWarmUp);
  EXPECT_NEAR(static_cast<double>(found.first_steady), 9000, 2);
}

}  // namespace
}  // namespace etalon::measure
