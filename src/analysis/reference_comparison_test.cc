#include "analysis/reference_comparison.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/comparison_testing.h"

namespace etalon::analysis {
namespace {

Profile profile_of(double convolution_ms, double gflop, bool with_softmax) {
  ProfileBuilder builder;
  builder.op("convolution", convolution_ms);
  builder.last().flops = gflop * 1e9;
  builder.op("permute_copy", 1);
  if (with_softmax) builder.op("softmax", 1);
  return builder.profile();
}

TEST(ReferenceComparison, work_is_held_against_the_rate_of_the_reference) {
  const ReferenceComparison found =
      compare_with_reference(profile_of(8, 0.4, false), profile_of(2, 0.2, true));
  ASSERT_EQ(found.rows.size(), 3U);
  const ReferenceRow& convolution = found.rows[0];
  EXPECT_EQ(convolution.category, "Convolution");
  EXPECT_DOUBLE_EQ(*convolution.model->gflops_per_second, 50);
  EXPECT_DOUBLE_EQ(*convolution.reference->gflops_per_second, 100);
  EXPECT_DOUBLE_EQ(*convolution.model->ms_per_gflop, 20);
  EXPECT_DOUBLE_EQ(*convolution.ms_at_reference_rate, 4);
  EXPECT_DOUBLE_EQ(convolution.model->share, 8.0 / 9);
}

TEST(ReferenceComparison, without_arithmetic_there_is_no_rate) {
  const ReferenceComparison found =
      compare_with_reference(profile_of(8, 0.4, false), profile_of(2, 0.2, true));
  const ReferenceRow& movement = found.rows[1];
  EXPECT_EQ(movement.category, "Data Movement");
  EXPECT_FALSE(movement.model->gflop.has_value());
  EXPECT_FALSE(movement.ms_at_reference_rate.has_value());
  EXPECT_FALSE(found.rows[2].model.has_value()) << "only the reference has this kind";
  EXPECT_THAT(reference_json(found), testing::HasSubstr("\"schema\": \"etalon.reference/1\""));
}

}  // namespace
}  // namespace etalon::analysis
