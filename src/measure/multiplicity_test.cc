#include "measure/multiplicity.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "measure/random.h"

namespace etalon::measure {
namespace {

const std::vector<double> kSeven = {0.01, 0.02, 0.03, 0.005, 0.5, 0.04, 0.2};

void expect_near(const std::vector<double>& found, const std::vector<double>& wanted) {
  ASSERT_EQ(found.size(), wanted.size());
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], wanted[i], 1e-12) << i;
}

// scipy.stats.false_discovery_control.
TEST(Multiplicity, benjamini_hochberg_agrees_with_scipy) {
  expect_near(adjusted_p_values(kSeven, Family::kBenjaminiHochberg),
              {0.035, 0.14 / 3, 0.0525, 0.035, 0.5, 0.056, 0.7 / 3});
}

// R: p.adjust(c(0.01, 0.02, 0.03, 0.005, 0.5, 0.04, 0.2), "holm").
TEST(Multiplicity, holm_agrees_with_r) {
  expect_near(adjusted_p_values(kSeven, Family::kHolm), {0.06, 0.1, 0.12, 0.035, 0.5, 0.12, 0.4});
}

TEST(Multiplicity, never_lowers_a_p_value_and_keeps_their_order) {
  Random random(4);
  for (const Family family : {Family::kHolm, Family::kBenjaminiHochberg}) {
    for (int trial = 0; trial < 100; ++trial) {
      std::vector<double> p_values(1 + random.below(40));
      for (double& p_value : p_values) p_value = random.uniform() * random.uniform();
      const std::vector<double> adjusted = adjusted_p_values(p_values, family);
      for (std::size_t i = 0; i < p_values.size(); ++i) {
        EXPECT_GE(adjusted[i], p_values[i]);
        EXPECT_LE(adjusted[i], 1);
        for (std::size_t j = 0; j < i; ++j) {
          if (p_values[j] < p_values[i]) EXPECT_LE(adjusted[j], adjusted[i]);
        }
      }
    }
  }
}

TEST(Multiplicity, no_number_is_no_evidence_and_no_comparison_is_no_answer) {
  EXPECT_EQ(adjusted_p_values(std::vector<double>{std::nan("")}, Family::kHolm)[0], 1);
  EXPECT_TRUE(adjusted_p_values({}, Family::kBenjaminiHochberg).empty());
}

TEST(Multiplicity, intervals_of_a_family_are_wider) {
  EXPECT_EQ(family_confidence(0.95, 1, 1, Family::kHolm), 0.95);
  EXPECT_NEAR(family_confidence(0.95, 3, 100, Family::kHolm), 0.9995, 1e-12);
  EXPECT_NEAR(family_confidence(0.95, 10, 100, Family::kBenjaminiHochberg), 0.995, 1e-12);
}

}  // namespace
}  // namespace etalon::measure
