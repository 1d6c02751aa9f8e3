#include "measure/distributions.h"

#include <gtest/gtest.h>

#include <cmath>

namespace etalon::measure {
namespace {

// Values of scipy 1.17.1: norm.cdf, norm.ppf, t.ppf, binom.cdf, nct (power of a t test).
TEST(Distributions, agree_with_scipy) {
  EXPECT_NEAR(normal_cdf(1.96), 0.9750021048517795, 1e-14);
  EXPECT_NEAR(normal_quantile(0.975), 1.959963984540054, 1e-13);
  EXPECT_NEAR(student_quantile(0.975, 9), 2.262157162798205, 1e-12);
  EXPECT_NEAR(student_two_sided(2.262157162798205, 9), 0.05, 1e-13);
  EXPECT_NEAR(student_two_sided(-2.262157162798205, 9), 0.05, 1e-13);
  EXPECT_NEAR(binomial_cdf(3, 10, 0.5), 0.171875, 1e-14);
  EXPECT_NEAR(t_test_power(0.0102, 0.01, 10, 0.05), 0.8181420911727006, 1e-9);
}

// Clopper and Pearson's intervals of 0 and 3 of 10, as in their paper's tables and in R's binom.test.
TEST(Distributions, exact_intervals_of_a_rate) {
  EXPECT_NEAR(binomial_interval(0, 10, 0.95).high, 0.3084971, 1e-6);
  EXPECT_EQ(binomial_interval(0, 10, 0.95).low, 0);
  EXPECT_NEAR(binomial_interval(3, 10, 0.95).low, 0.06673951, 1e-6);
  EXPECT_NEAR(binomial_interval(3, 10, 0.95).high, 0.6524529, 1e-6);
  EXPECT_EQ(binomial_interval(10, 10, 0.95).high, 1);
}

TEST(Distributions, nonsense_gives_nan_and_never_throws) {
  EXPECT_TRUE(std::isnan(normal_quantile(1.5)));
  EXPECT_TRUE(std::isnan(student_quantile(0.5, 0)));
  EXPECT_TRUE(std::isnan(t_test_power(1, 0, 10, 0.05)));
  EXPECT_TRUE(std::isnan(normal_cdf(std::nan(""))));
}

TEST(Distributions, power_rises_with_effect_and_count_and_starts_at_alpha) {
  EXPECT_NEAR(t_test_power(0, 1, 10, 0.05), 0.05, 1e-9);
  EXPECT_LT(t_test_power(0.5, 1, 10, 0.05), t_test_power(0.6, 1, 10, 0.05));
  EXPECT_LT(t_test_power(0.5, 1, 10, 0.05), t_test_power(0.5, 1, 12, 0.05));
  EXPECT_EQ(t_test_power(1000, 1, 10, 0.05), 1);
}

}  // namespace
}  // namespace etalon::measure
