#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "ops/op_testing.h"

namespace etalon::ops::testing {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pointwise;
using Ints = std::vector<std::int64_t>;
using Numbers = std::vector<double>;

const Ints kZero{0, 0}, kOne{1, 1}, kTwo{2, 2}, kThree{3, 3};
const Numbers kNine{1, 2, 3, 4, 5, 6, 7, 8, 9};

TEST(MaxPool2d, ceil_mode_adds_the_windows_that_stick_out) {
  for (const DimOrder& order : {DimOrder{0, 1, 2, 3}, DimOrder{0, 2, 3, 1}}) {
    Tensor x(DType::kFloat32, {1, 1, 3, 3}, order);
    x.set_values(kNine);
    auto out = call_op("aten::max_pool2d_with_indices",
                       {x.value(), Value::of_ints(kTwo), Value::of_ints(kTwo), Value::of_ints(kZero), Value::of_ints(kOne),
                        Value::of_bool(true)},
                       {.out_order = order});
    ASSERT_TRUE(out.ok()) << out.error().message();
    EXPECT_THAT(out->tensors[0].values(), ElementsAre(5, 6, 8, 9));
    EXPECT_THAT(out->tensors[1].values(), ElementsAre(4, 5, 7, 8));
  }
}

TEST(MaxPool2d, an_empty_stride_is_the_kernel_and_the_last_nan_wins) {
  Tensor x = tensor({1, 2, 2}, {1, std::nan(""), std::nan(""), 3});
  auto out = call_op("aten::max_pool2d_with_indices", {x.value(), Value::of_ints(kTwo)});
  ASSERT_TRUE(out.ok()) << out.error().message();
  EXPECT_TRUE(std::isnan(out->tensors[0].values()[0]));
  EXPECT_THAT(out->tensors[1].values(), ElementsAre(2));
}

TEST(MaxPool2d, a_dilated_window_around_the_input_is_empty_and_reads_nothing) {
  Tensor x = tensor({1, 1, 1}, {5});
  const Ints stride{3, 2}, dilation{2, 1};
  auto out = call_op("aten::max_pool2d_with_indices", {x.value(), Value::of_ints(kThree), Value::of_ints(stride),
                                                       Value::of_ints(kOne), Value::of_ints(dilation), Value::of_bool(true)});
  ASSERT_TRUE(out.ok()) << out.error().message();
  EXPECT_THAT(out->tensors[0].values(), ElementsAre(-std::numeric_limits<double>::infinity()));
}

TEST(MaxPool2d, refuses_large_padding_and_large_kernels) {
  Tensor x = tensor({1, 1, 3, 3}, kNine);
  const Ints four{4, 4};
  EXPECT_FALSE(call_op("aten::max_pool2d_with_indices",
                       {x.value(), Value::of_ints(kTwo), Value::of_ints(kTwo), Value::of_ints(kTwo)}).ok());
  auto large = call_op("aten::max_pool2d_with_indices", {x.value(), Value::of_ints(four)});
  ASSERT_FALSE(large.ok());
  EXPECT_THAT(large.error().message(), HasSubstr("does not fit"));
}

TEST(MaxPool2dBackward, sends_gradients_to_the_maxima_and_checks_indices) {
  Tensor gradient = tensor({1, 1, 1, 1}, {7}), x = tensor({1, 1, 2, 2}, {1, 9, 2, 3});
  const auto run = [&](double index) {
    Tensor indices = tensor(DType::kInt64, {1, 1, 1, 1}, {index});
    return call_op("aten::max_pool2d_with_indices_backward",
                   {gradient.value(), x.value(), Value::of_ints(kTwo), Value::of_ints(kTwo), Value::of_ints(kZero),
                    Value::of_ints(kOne), Value::of_bool(false), indices.value()});
  };
  EXPECT_THAT(run(1)->tensors[0].values(), ElementsAre(0, 7, 0, 0));
  EXPECT_FALSE(run(4).ok());
  EXPECT_FALSE(run(-1).ok());
}

TEST(AvgPool2d, follows_ceil_mode_padding_and_divisor) {
  Tensor x = tensor({1, 1, 3, 3}, kNine);
  const auto run = [&](const Ints& stride, const Ints& padding, bool ceil, bool include, Value divisor) {
    auto out = call_op("aten::avg_pool2d", {x.value(), Value::of_ints(kTwo), Value::of_ints(stride), Value::of_ints(padding),
                                            Value::of_bool(ceil), Value::of_bool(include), divisor});
    return out.ok() ? out->tensors[0].values() : Numbers{};
  };
  EXPECT_THAT(run(kTwo, kZero, true, true, Value()), ElementsAre(3, 4.5, 7.5, 9));
  EXPECT_THAT(run(kTwo, kOne, false, false, Value()), ElementsAre(1, 2.5, 5.5, 7));
  EXPECT_THAT(run(kTwo, kOne, false, true, Value()), ElementsAre(0.25, 1.25, 2.75, 7));
  EXPECT_THAT(run(kOne, kZero, false, true, Value::of_int(2)), ElementsAre(6, 8, 12, 14));
  EXPECT_THAT(run(kOne, kZero, false, true, Value::of_int(0)), ElementsAre());
}

TEST(AdaptiveAvgPool2d, windows_overlap_where_sizes_do_not_divide) {
  Tensor x = tensor({1, 1, 3, 5}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15});
  const Ints size{2, 3};
  auto out = call_op("aten::_adaptive_avg_pool2d", {x.value(), Value::of_ints(size)});
  EXPECT_THAT(out->tensors[0].values(), ElementsAre(4, 5.5, 7, 9, 10.5, 12));
}

}  // namespace
}  // namespace etalon::ops::testing
