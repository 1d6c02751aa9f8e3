#include "measure/signed_rank.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "measure/random.h"

namespace etalon::measure {
namespace {

const std::vector<double> kTen = {0.5, -0.2, 1.1, 0.9, 0.3, -0.1, 0.7, 1.5, 0.05, 0.4};

// scipy.stats.wilcoxon(kTen, mode="exact"): statistic 5, p 0.01953125.
TEST(SignedRank, is_exact_as_scipy_is) {
  const SignedRank result = signed_rank_test(kTen);
  EXPECT_EQ(result.count, 10U);
  EXPECT_EQ(result.positive_ranks, 50);  // 55 - 5
  EXPECT_NEAR(result.p_value, 0.01953125, 1e-15);
  EXPECT_TRUE(result.exact);
}

// All 4096 signs enumerated with numpy; scipy's permutation method gives the same 0.03466796875.
TEST(SignedRank, is_exact_with_ties_too) {
  const SignedRank result = signed_rank_test(std::vector<double>{1, 2, 3, -1, -2, 4, 5, 6, -3, 7, 8, 2});
  EXPECT_EQ(result.positive_ranks, 66);
  EXPECT_NEAR(result.p_value, 0.03466796875, 1e-15);
}

// Critical values of Wilcoxon and Wilcox 1964, two-sided 5 %: n = 6: 0, 10: 8, 15: 25, 20: 52, 30: 137.
TEST(SignedRank, has_the_critical_values_of_the_published_table) {
  struct Row {
    std::size_t count;
    std::size_t critical;
  };
  for (const Row row : {Row{6, 0}, Row{10, 8}, Row{15, 25}, Row{20, 52}, Row{30, 137}}) {
    const auto p_of_sum = [&](std::size_t sum) {
      std::vector<double> values;
      std::size_t left = sum;  // negative ranks that add up to `sum`, largest first
      for (std::size_t rank = row.count; rank > 0; --rank) {
        const bool negative = rank <= left;
        if (negative) left -= rank;
        values.push_back(negative ? -static_cast<double>(rank) : static_cast<double>(rank));
      }
      EXPECT_EQ(left, 0U);
      return signed_rank_test(values).p_value;
    };
    EXPECT_LE(p_of_sum(row.critical), 0.05) << row.count;
    EXPECT_GT(p_of_sum(row.critical + 1), 0.05) << row.count;
  }
}

TEST(SignedRank, the_approximation_joins_the_exact_values) {
  Random random(3);
  std::vector<double> values(200);
  for (double& value : values) value = random.normal() + 0.15;
  const SignedRank exact = signed_rank_test(values);
  ASSERT_TRUE(exact.exact);
  values.push_back(1e-9);  // the smallest rank: changes next to nothing
  const SignedRank approximate = signed_rank_test(values);
  ASSERT_FALSE(approximate.exact);
  EXPECT_NEAR(approximate.p_value, exact.p_value, 0.02 * exact.p_value + 1e-3);
}

TEST(SignedRank, zeros_and_nothing_are_no_evidence) {
  EXPECT_EQ(signed_rank_test({}).p_value, 1);
  EXPECT_EQ(signed_rank_test(std::vector<double>{0, 0, 0}).p_value, 1);
  EXPECT_EQ(signed_rank_test(std::vector<double>{0, 0, 0}).count, 0U);
}

// numpy: median of the 55 averages is 0.5; the 9th and the 11th from each end.
TEST(HodgesLehmann, estimate_and_interval_are_those_of_the_pair_averages) {
  EXPECT_NEAR(hodges_lehmann(kTen), 0.5, 1e-15);
  const Interval at_95 = signed_rank_interval(kTen, 0.95);
  EXPECT_NEAR(at_95.low, 0.1, 1e-15);
  EXPECT_NEAR(at_95.high, 0.9, 1e-15);
  const Interval at_90 = signed_rank_interval(kTen, 0.90);
  EXPECT_NEAR(at_90.low, 0.15, 1e-15);
  EXPECT_NEAR(at_90.high, 0.9, 1e-15);
}

TEST(HodgesLehmann, one_wild_value_hardly_moves_it) {
  std::vector<double> values = kTen;
  values[7] = 1e6;
  EXPECT_NEAR(hodges_lehmann(values), hodges_lehmann(kTen), 0.06);
}

TEST(HodgesLehmann, test_and_interval_say_the_same) {
  Random random(11);
  for (int trial = 0; trial < 300; ++trial) {
    std::vector<double> values(6 + random.below(20));
    for (double& value : values) value = random.normal() + 0.5;
    EXPECT_EQ(signed_rank_test(values).p_value > 0.05, signed_rank_interval(values, 0.95).contains(0));
  }
}

TEST(HodgesLehmann, five_values_cannot_reach_95_percent) {
  EXPECT_EQ(fewest_for_signed_rank(0.05), 6U);
  EXPECT_EQ(fewest_for_signed_rank(0.10), 5U);
  EXPECT_TRUE(std::isinf(signed_rank_interval(std::vector<double>{1, 2, 3, 4, 5}, 0.95).low));
  const Interval six = signed_rank_interval(std::vector<double>{1, 2, 3, 4, 5, 6}, 0.95);
  EXPECT_EQ(six.low, 1);
  EXPECT_EQ(six.high, 6);
}

TEST(HodgesLehmann, the_interval_covers_the_centre_as_often_as_it_says) {
  Random random(5);
  int covered = 0;
  constexpr int kTrials = 4000;
  for (int trial = 0; trial < kTrials; ++trial) {
    std::vector<double> values(12);
    for (double& value : values) value = random.normal() / (0.05 + random.uniform());  // heavy tails
    covered += signed_rank_interval(values, 0.95).contains(0) ? 1 : 0;
  }
  EXPECT_NEAR(covered / double{kTrials}, 0.9575, 0.012);  // the exact level for 12 is 95.75 %
}

TEST(HodgesLehmann, a_large_sample_is_thinned_and_keeps_its_centre) {
  std::vector<double> values(20000);
  Random random(9);
  for (double& value : values) value = 3 + random.normal();
  EXPECT_NEAR(hodges_lehmann(values), 3, 0.05);
}

}  // namespace
}  // namespace etalon::measure
