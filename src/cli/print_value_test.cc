#include "cli/print_value.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace etalon::cli {
namespace {

using ::testing::HasSubstr;

std::string summary(std::vector<float> values, const Dims& sizes) {
  TensorView view(DType::kFloat32, sizes, values.data());
  return summary_of(ops::Value::of_tensor(&view));
}

TEST(PrintValue, a_small_tensor_is_one_line_and_whole_numbers_get_a_dot) {
  EXPECT_EQ(summary({1, 2.5F, -3}, {1, 3}), "tensor(sizes=[1, 3], [1., 2.5, -3.])");
  EXPECT_EQ(summary({1e-7F, 123456789.0F}, {2}), "tensor(sizes=[2], [1e-07, 1.23457e+08])");
  EXPECT_EQ(summary({}, {0}), "tensor(sizes=[0], [])");
}

TEST(PrintValue, not_a_number_is_the_word_that_tools_look_for) {
  EXPECT_THAT(summary({std::numeric_limits<float>::quiet_NaN()}, {1}), HasSubstr("nan"));
}

TEST(PrintValue, more_than_ten_items_are_wrapped) {
  EXPECT_EQ(summary(std::vector<float>(11, 1.0F), {11}),
            "tensor(sizes=[11], [\n  1., 1., 1., 1., 1., 1., 1., 1., 1., 1.,\n  1.,\n])");
}

TEST(PrintValue, the_middle_of_a_long_list_is_left_out) {
  std::vector<float> values(1000);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
  const std::string text = summary(values, {1000});
  EXPECT_THAT(text, HasSubstr("99.,\n  ...,\n  900.,"));
  EXPECT_EQ(text.find(" 500."), std::string::npos);
}

TEST(PrintValue, a_listing_has_one_line_per_element) {
  std::int32_t values[] = {4, -5};
  TensorView view(DType::kInt32, {2}, values);
  EXPECT_EQ(listing_of(ops::Value::of_tensor(&view), 1), "Output[1][0]: (int) 4\nOutput[1][1]: (int) -5\n");
  EXPECT_EQ(listing_of(ops::Value::of_int(3), 0), "Output[0]: Not Tensor\n");
}

}  // namespace
}  // namespace etalon::cli
