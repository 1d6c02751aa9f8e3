#include "measure/power.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "measure/random.h"
#include "measure/signed_rank.h"

namespace etalon::measure {
namespace {

// scipy: the effect at which a t test of 10 values with deviation 0.01 has 90 % power is
// 0.011545649888854875; the signed-rank test needs pi / 3 times the variance.
TEST(Power, smallest_effect_agrees_with_scipy) {
  EXPECT_NEAR(smallest_effect(0.01, 10), 0.011545649888854875 * std::sqrt(1.0471975511965976), 1e-8);
  EXPECT_TRUE(std::isinf(smallest_effect(0.01, 1)));
  EXPECT_EQ(smallest_effect(0, 10), 0);
}

TEST(Power, units_needed_and_smallest_effect_are_inverse) {
  for (const std::size_t count : {8U, 12U, 30U}) {
    EXPECT_EQ(units_needed(0.01, smallest_effect(0.01, count) * 1.0001, 1000), count);
  }
  EXPECT_EQ(units_needed(0.01, 0.5, 1000), 6U);
  EXPECT_EQ(units_needed(0.01, 1e-6, 1000), 1000U);
  EXPECT_EQ(units_needed(0.01, 0, 1000), 1000U);
}

TEST(Power, the_deviation_is_that_of_normal_values_and_ignores_a_wild_one) {
  Random random(8);
  std::vector<double> values(400);
  for (double& value : values) value = 0.02 * random.normal();
  EXPECT_NEAR(robust_deviation(values), 0.02, 0.002);
  values[3] = 1000;
  EXPECT_NEAR(robust_deviation(values), 0.02, 0.002);
  EXPECT_EQ(robust_deviation(std::vector<double>{1}), 0);
}

TEST(Power, the_effect_it_names_is_found_as_often_as_it_says) {
  Random random(21);
  const double effect = smallest_effect(1, 12);
  int found = 0;
  constexpr int kTrials = 3000;
  for (int trial = 0; trial < kTrials; ++trial) {
    std::vector<double> values(12);
    for (double& value : values) value = effect + random.normal();
    found += signed_rank_test(values).p_value <= 0.05 ? 1 : 0;
  }
  EXPECT_NEAR(found / double{kTrials}, 0.90, 0.03);
}

}  // namespace
}  // namespace etalon::measure
