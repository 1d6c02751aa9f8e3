#include "analysis/numerics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace etalon::analysis {
namespace {

OutputDifference between(const std::vector<float>& a, const std::vector<float>& b) {
  auto difference = compare_outputs("0", a, b);
  EXPECT_TRUE(difference.ok());
  return difference.ok() ? *difference : OutputDifference();
}

TEST(Numerics, equal_outputs_have_no_error) {
  const OutputDifference same = between({1, -2, 3}, {1, -2, 3});
  EXPECT_EQ(same.max_abs, 0);
  EXPECT_EQ(same.relative_to_peak, 0);
  EXPECT_TRUE(std::isinf(same.snr_db) && same.snr_db > 0);
  EXPECT_NEAR(same.cosine, 1, 1e-12);
  EXPECT_EQ(same.same_top1, true);
}

TEST(Numerics, a_known_error_has_its_known_ratio) {
  // Signal 3^2 + 4^2 = 25, error 0.5^2 = 0.25: a ratio of 100, 20 dB.
  const OutputDifference off = between({3, 4}, {3, 4.5});
  EXPECT_NEAR(off.snr_db, 20, 1e-9);
  EXPECT_NEAR(off.max_abs, 0.5, 1e-12);
  EXPECT_NEAR(off.relative_to_peak, 0.125, 1e-12);
}

TEST(Numerics, top1_is_the_first_of_equals) {
  EXPECT_EQ(between({1, 5, 5}, {1, 5, 4}).same_top1, true);
  EXPECT_EQ(between({1, 5, 4}, {1, 4, 5}).same_top1, false);
  EXPECT_FALSE(between({1}, {1}).same_top1.has_value());
}

TEST(Numerics, a_nan_on_one_side_is_no_agreement) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(std::isinf(between({1, 2}, {1, nan}).relative_to_peak));
  EXPECT_LT(between({1, 2}, {1, nan}).snr_db, 0);
  EXPECT_EQ(between({1, nan}, {1, nan}).max_abs, 0);
}

TEST(Numerics, different_numbers_of_values_are_refused) {
  const std::vector<float> two = {1, 2}, three = {1, 2, 3};
  EXPECT_FALSE(compare_outputs("0", two, three).ok());
}

}  // namespace
}  // namespace etalon::analysis
