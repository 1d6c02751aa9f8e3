#include "measure/group_sequential.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "measure/distributions.h"
#include "measure/random.h"

namespace etalon::measure {
namespace {

const std::vector<double> kFive = {0.2, 0.4, 0.6, 0.8, 1.0};

void expect_boundaries(Spending spending, const std::vector<double>& wanted) {
  const std::vector<double> levels = nominal_levels(kFive, 0.05, spending);
  ASSERT_EQ(levels.size(), wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    EXPECT_NEAR(-normal_quantile(levels[i] / 2), wanted[i], 1e-3) << "look " << i + 1;
  }
}

// Five equal looks, two-sided 5 %, as in Reboussin, DeMets, Kim and Lan 2000 (their program ld98) and R's
// ldbounds.
TEST(GroupSequential, has_the_published_boundaries_of_obrien_and_fleming) {
  expect_boundaries(Spending::kObrienFleming, {4.8769, 3.3569, 2.6803, 2.2898, 2.0310});
}

TEST(GroupSequential, has_the_published_boundaries_of_pocock) {
  expect_boundaries(Spending::kPocock, {2.4380, 2.4268, 2.4101, 2.3966, 2.3859});
}

TEST(GroupSequential, one_look_is_the_plain_test) {
  EXPECT_NEAR(nominal_levels(std::vector<double>{1.0}, 0.05, Spending::kObrienFleming)[0], 0.05, 1e-9);
}

TEST(GroupSequential, all_that_may_be_spent_is_alpha) {
  for (const Spending spending : {Spending::kObrienFleming, Spending::kPocock}) {
    EXPECT_EQ(alpha_spent(0, 0.05, spending), 0);
    EXPECT_NEAR(alpha_spent(1, 0.05, spending), 0.05, 1e-12);
    EXPECT_NEAR(alpha_spent(0.999999, 0.05, spending), 0.05, 1e-5);
    EXPECT_LT(alpha_spent(0.3, 0.05, spending), alpha_spent(0.5, 0.05, spending));
  }
}

TEST(GroupSequential, looking_at_every_step_alarms_and_spending_does_not) {
  const std::vector<double> levels = nominal_levels(kFive, 0.05, Spending::kPocock);
  Random random(1);
  int naive = 0;
  int planned = 0;
  constexpr int kTrials = 6000;
  for (int trial = 0; trial < kTrials; ++trial) {
    double sum = 0;
    bool naive_alarm = false;
    bool planned_alarm = false;
    for (std::size_t look = 0; look < 5; ++look) {
      sum += random.normal();
      const double p = 2 * normal_cdf(-std::fabs(sum) / std::sqrt(static_cast<double>(look + 1)));
      naive_alarm = naive_alarm || p <= 0.05;
      planned_alarm = planned_alarm || p <= levels[look];
    }
    naive += naive_alarm ? 1 : 0;
    planned += planned_alarm ? 1 : 0;
  }
  EXPECT_NEAR(naive / double{kTrials}, 0.142, 0.015);  // Armitage, McPherson and Rowe 1969, table 2
  EXPECT_NEAR(planned / double{kTrials}, 0.05, 0.01);
}

}  // namespace
}  // namespace etalon::measure
