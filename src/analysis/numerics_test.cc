#include "analysis/numerics.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <vector>

namespace etalon::analysis {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

OutputDifference between(const std::vector<float>& baseline, const std::vector<float>& candidate,
                         std::size_t row = 0) {
  auto difference = compare_outputs("0", baseline, candidate, row);
  EXPECT_TRUE(difference.ok());
  return difference.ok() ? *difference : OutputDifference();
}

TEST(Numerics, equal_outputs_do_not_differ) {
  const OutputDifference same = between({1, -2, 0}, {1, -2, 0});
  EXPECT_EQ(same.max_abs, 0);
  EXPECT_EQ(same.relative_to_peak, 0);
  EXPECT_EQ(same.snr_db, HUGE_VAL);
  EXPECT_EQ(same.cosine, 1);
  EXPECT_FALSE(same.same_top1.has_value());
}

TEST(Numerics, known_difference_gives_known_numbers) {
  // Power 25 over 0.25: 20 dB. Lengths 5 and sqrt(9 + 4.5^2), product 9 + 18.
  const OutputDifference known = between({3, 4}, {3, 4.5});
  EXPECT_DOUBLE_EQ(known.max_abs, 0.5);
  EXPECT_DOUBLE_EQ(known.relative_to_peak, 0.125);
  EXPECT_DOUBLE_EQ(known.snr_db, 20);
  EXPECT_DOUBLE_EQ(known.cosine, 27 / (5 * std::sqrt(29.25)));
}

TEST(Numerics, every_row_must_keep_its_best_class) {
  EXPECT_TRUE(*between({1, 2, 5, 4}, {1, 3, 6, 4}, 2).same_top1);
  EXPECT_FALSE(*between({1, 2, 5, 4}, {1, 2, 4, 5}, 2).same_top1);
  EXPECT_FALSE(*between({1, 2}, {1, kNan}, 2).same_top1);
}

TEST(Numerics, values_that_are_not_finite_differ_unless_they_are_the_same) {
  EXPECT_EQ(between({1, kNan, kInf}, {1, kNan, kInf}).snr_db, HUGE_VAL);
  for (const float wrong : {kNan, kInf}) {
    const OutputDifference broken = between({1, 2}, {1, wrong});
    EXPECT_EQ(broken.max_abs, HUGE_VAL);
    EXPECT_EQ(broken.snr_db, -HUGE_VAL);
    EXPECT_EQ(broken.cosine, 0);
  }
}

TEST(Numerics, an_output_of_zeros_has_no_power_to_compare_with) {
  const OutputDifference from_zero = between({0, 0}, {0, 1});
  EXPECT_EQ(from_zero.snr_db, -HUGE_VAL);
  EXPECT_EQ(from_zero.relative_to_peak, HUGE_VAL);
  EXPECT_EQ(from_zero.cosine, 0);
}

TEST(Numerics, outputs_of_other_sizes_are_refused) {
  EXPECT_FALSE(compare_outputs("0", std::vector<float>{1}, std::vector<float>{1, 2}).ok());
  EXPECT_EQ(between({}, {}).values, 0U);
}

TEST(Numerics, only_rows_of_scores_have_a_best_class) {
  EXPECT_EQ(class_row(std::array<std::size_t, 2>{1, 1000}), 1000U);
  EXPECT_EQ(class_row(std::array<std::size_t, 1>{10}), 10U);
  EXPECT_EQ(class_row(std::array<std::size_t, 4>{1, 21, 64, 64}), 0U);
  EXPECT_EQ(class_row(std::array<std::size_t, 2>{8, 1}), 0U);
}

}  // namespace
}  // namespace etalon::analysis
