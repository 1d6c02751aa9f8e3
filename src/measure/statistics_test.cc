#include "measure/statistics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "measure/random.h"

namespace etalon::measure {
namespace {

TEST(Statistics, median_of_even_and_odd_counts) {
  EXPECT_EQ(median(std::vector<double>{3, 1, 2}), 2);
  EXPECT_EQ(median(std::vector<double>{4, 1, 3, 2}), 2.5);
  EXPECT_EQ(median({}), 0);
}

// Order statistics 39 and 61 of 100 bound a median with 95 % (Conover, Practical Nonparametric
// Statistics, 3.2: 40 to 61 has 95.4 %; each tail is held below 2.5 % here).
TEST(Statistics, order_statistics_bound_the_median) {
  std::vector<double> sorted(100);
  std::iota(sorted.begin(), sorted.end(), 1.0);
  const auto bounds = quantile_bounds(sorted, 0.5, 0.95);
  ASSERT_TRUE(bounds.has_value());
  EXPECT_EQ(bounds->low, 40);
  EXPECT_EQ(bounds->high, 61);
}

TEST(Statistics, a_p99_needs_368_samples) {
  std::vector<double> sorted(367);
  std::iota(sorted.begin(), sorted.end(), 0.0);
  EXPECT_FALSE(quantile_bounds(sorted, 0.99, 0.95).has_value());
  sorted.push_back(367);
  EXPECT_TRUE(quantile_bounds(sorted, 0.99, 0.95).has_value());
}

TEST(Statistics, quantile_bounds_hold_as_often_as_they_say) {
  Random random(6);
  int held = 0;
  constexpr int kTrials = 2000;
  for (int trial = 0; trial < kTrials; ++trial) {
    std::vector<double> sorted(150);
    for (double& value : sorted) value = random.uniform();
    std::sort(sorted.begin(), sorted.end());
    const auto bounds = quantile_bounds(sorted, 0.9, 0.95);
    held += bounds && bounds->low <= 0.9 && bounds->high >= 0.9 ? 1 : 0;
  }
  EXPECT_GE(held / double{kTrials}, 0.94);
}

TEST(Statistics, far_outliers_are_named_by_their_place) {
  const std::vector<double> samples = {1, 1.1, 0.9, 50, 1, 1.05, 0.95, 1.02};
  EXPECT_EQ(far_outliers(samples), std::vector<std::size_t>{3});
  EXPECT_TRUE(far_outliers(std::vector<double>{1, 2, 900}).empty());
}

}  // namespace
}  // namespace etalon::measure
