#include "measure/sentinel.h"

#include <gtest/gtest.h>

namespace etalon::measure {
namespace {

TEST(Sentinel, takes_a_time_that_can_be_measured) {
  const double time = time_sentinel_ns();
  EXPECT_GT(time, 1e4);
  EXPECT_LT(time, 1e9);
}

TEST(Sentinel, a_slow_reading_deviates_and_a_fast_one_does_not) {
  SentinelWatch watch(0.1);
  EXPECT_FALSE(watch.deviates(1e9));  // nothing to compare with
  for (int i = 0; i < 10; ++i) watch.add(100 + i);
  EXPECT_FALSE(watch.deviates(109));
  EXPECT_TRUE(watch.deviates(120));
  EXPECT_FALSE(watch.deviates(10));
}

TEST(Sentinel, a_session_that_starts_on_a_busy_machine_recovers) {
  SentinelWatch watch(0.1);
  for (int i = 0; i < 9; ++i) watch.add(200);
  EXPECT_FALSE(watch.deviates(200));
  for (int i = 0; i < 4; ++i) watch.add(100);
  EXPECT_TRUE(watch.deviates(200));
  EXPECT_EQ(watch.baseline_ns(), 100);
}

}  // namespace
}  // namespace etalon::measure
