#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "ops/op_testing.h"

namespace etalon::ops::testing {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pointwise;
using Ints = std::vector<std::int64_t>;
using Numbers = std::vector<double>;

TEST(Softmax, is_stable_for_large_values_and_works_along_either_dim) {
  Tensor x = tensor({2, 3}, {1, 2, 3, 1000, 1000, 1000});
  auto rows = call_op("aten::_softmax", {x.value(), Value::of_int(-1), Value::of_bool(false)});
  ASSERT_TRUE(rows.ok()) << rows.error().message();
  EXPECT_THAT(rows->tensors[0].values(),
              Pointwise(DoubleNear(1e-5), Numbers{0.09003, 0.24473, 0.66524, 0.33333, 0.33333, 0.33333}));
  auto columns = call_op("aten::_softmax", {x.value(), Value::of_int(0), Value::of_bool(false)});
  EXPECT_THAT(columns->tensors[0].values(), Pointwise(DoubleNear(1e-5), Numbers{0, 0, 0, 1, 1, 1}));
  auto logs = call_op("aten::_log_softmax", {x.value(), Value::of_int(1), Value::of_bool(false)});
  EXPECT_THAT(logs->tensors[0].values(), Pointwise(DoubleNear(1e-5), Numbers{-2.40761, -1.40761, -0.40761, -1.09861,
                                                                             -1.09861, -1.09861}));
}

TEST(Softmax, a_nan_spoils_only_its_own_row) {
  Tensor x = tensor({2, 2}, {std::nan(""), 1, 0, 0});
  auto out = call_op("aten::_softmax", {x.value(), Value::of_int(1), Value::of_bool(false)});
  const Numbers values = out->tensors[0].values();
  EXPECT_TRUE(std::isnan(values[0]) && std::isnan(values[1]));
  EXPECT_EQ(values[2], 0.5);
}

TEST(Softmax, refuses_integers_and_dims_out_of_range) {
  Tensor ints = tensor(DType::kInt32, {2}, {1, 2}), x = tensor({2}, {1, 2});
  EXPECT_FALSE(call_op("aten::_softmax", {ints.value(), Value::of_int(0), Value::of_bool(false)}).ok());
  EXPECT_FALSE(call_op("aten::_softmax", {x.value(), Value::of_int(1), Value::of_bool(false)}).ok());
}

TEST(LayerNorm, normalises_the_last_dims_with_weight_and_bias) {
  Tensor x = tensor({2, 4}, {1, 2, 3, 4, 2, 2, 2, 6});
  Tensor weight = tensor({4}, {1, 2, 1, 1}), bias = tensor({4}, {0, 0, 0, 1});
  const Ints shape{4}, wrong{2};
  auto out = call_op("aten::native_layer_norm",
                     {x.value(), Value::of_ints(shape), weight.value(), bias.value(), Value::of_double(1e-5)});
  ASSERT_TRUE(out.ok()) << out.error().message();
  EXPECT_THAT(out->tensors[0].values(), Pointwise(DoubleNear(1e-4), Numbers{-1.34164, -0.89442, 0.44721, 2.34164, -0.57735,
                                                                            -1.1547, -0.57735, 2.73205}));
  EXPECT_EQ(out->tensors[1].sizes(), (Dims{2, 1}));
  EXPECT_THAT(out->tensors[1].values(), ElementsAre(2.5, 3));
  EXPECT_THAT(out->tensors[2].values(), Pointwise(DoubleNear(1e-5), Numbers{0.89442, 0.57735}));
  auto refused = call_op("aten::native_layer_norm", {x.value(), Value::of_ints(wrong), Value(), Value(), Value::of_double(0)});
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message(), HasSubstr("[2] is not the end of the input's [2, 4]"));
}

TEST(GroupNorm, normalises_groups_and_scales_channels) {
  Tensor x = tensor({1, 4, 2}, {1, 3, 5, 7, 2, 2, 4, 8}), weight = tensor({4}, {1, 2, 1, 1});
  const auto run = [&](std::int64_t groups) {
    return call_op("aten::native_group_norm", {x.value(), weight.value(), Value(), Value::of_int(1), Value::of_int(4),
                                               Value::of_int(2), Value::of_int(groups), Value::of_double(1e-5)});
  };
  auto out = run(2);
  ASSERT_TRUE(out.ok()) << out.error().message();
  EXPECT_THAT(out->tensors[0].values(), Pointwise(DoubleNear(1e-4), Numbers{-1.34164, -0.44721, 0.89443, 2.68328, -0.8165,
                                                                            -0.8165, 0, 1.63299}));
  EXPECT_FALSE(run(3).ok());
}

TEST(BatchNorm, uses_the_running_statistics_in_both_dim_orders) {
  Tensor weight = tensor({2}, {2, 1}), bias = tensor({2}, {0, 1}), mean = tensor({2}, {2, 5}), var = tensor({2}, {4, 1});
  for (const DimOrder& order : {DimOrder{0, 1, 2, 3}, DimOrder{0, 2, 3, 1}}) {
    Tensor x(DType::kFloat32, {1, 2, 1, 2}, order);
    x.set_values({1, 3, 5, 7});
    auto out = call_op("aten::_native_batch_norm_legit_no_training",
                       {x.value(), weight.value(), bias.value(), mean.value(), var.value(), Value::of_double(0.1),
                        Value::of_double(0)});
    ASSERT_TRUE(out.ok()) << out.error().message();
    EXPECT_THAT(out->tensors[0].values(), ElementsAre(-1, 1, 1, 3));
    EXPECT_EQ(out->tensors[1].sizes(), (Dims{0}));
  }
}

TEST(BatchNorm, training_moves_the_running_statistics) {
  Tensor x = tensor({1, 2, 2}, {1, 3, 5, 9}), mean = tensor({2}, {0, 0}), var = tensor({2}, {1, 1});
  auto out = call_op("aten::_native_batch_norm_legit",
                     {x.value(), Value(), Value(), mean.value(), var.value(), Value::of_bool(true), Value::of_double(0.1),
                      Value::of_double(0)});
  ASSERT_TRUE(out.ok()) << out.error().message();
  EXPECT_THAT(out->tensors[0].values(), ElementsAre(-1, 1, -1, 1));
  EXPECT_THAT(out->tensors[1].values(), ElementsAre(2, 7));
  EXPECT_THAT(out->tensors[2].values(), ElementsAre(1, 0.5));
  EXPECT_THAT(mean.values(), Pointwise(DoubleNear(1e-6), Numbers{0.2, 0.7}));
  EXPECT_THAT(var.values(), Pointwise(DoubleNear(1e-6), Numbers{1.1, 1.7}));
}

}  // namespace
}  // namespace etalon::ops::testing
