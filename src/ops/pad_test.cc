#include <gtest/gtest.h>

#include <limits>

#include "ops/op_testing.h"

namespace etalon::ops {
namespace {

using testing::call_op;
using testing::Tensor;
using testing::tensor;
using Ints = std::vector<std::int64_t>;

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();

TEST(ConstantPad, adds_and_crops) {
  Tensor x = tensor(DType::kInt32, {2, 3}, {0, 1, 2, 3, 4, 5});
  const Ints pad = {-1, 1, 0, 1};
  auto result = call_op("aten::constant_pad_nd", {x.value(), Value::of_ints(pad), Value::of_double(7.9)});
  ASSERT_TRUE(result.ok()) << result.error().message();
  EXPECT_EQ(result->tensors[0].sizes(), (Dims{3, 3}));
  EXPECT_EQ(result->tensors[0].values(), (std::vector<double>{1, 2, 7, 4, 5, 7, 7, 7, 7}));
}

TEST(ConstantPad, keeps_the_dim_order) {
  Tensor x = testing::channels_last({1, 2, 1, 1}, {1, 2});
  const Ints pad = {1, 0};
  auto result = call_op("aten::constant_pad_nd", {x.value(), Value::of_ints(pad), Value::of_int(9)});
  ASSERT_TRUE(result.ok());
  EXPECT_TRUE(is_channels_last_order(result->tensors[0].view().order()));
  EXPECT_EQ(result->tensors[0].values(), (std::vector<double>{9, 1, 9, 2}));
}

TEST(ConstantPad, refuses_what_leaves_less_than_nothing) {
  Tensor x = tensor({2, 3}, {0, 1, 2, 3, 4, 5});
  for (const Ints& pad : std::vector<Ints>{{-4, 0}, {1}, {0, 0, 0, 0, 0, 0}, {kMax, kMax}, {-kMax - 1, kMax}, {kMax / 2, 0}}) {
    EXPECT_FALSE(call_op("aten::constant_pad_nd", {x.value(), Value::of_ints(pad), Value::of_int(0)}).ok());
  }
}

TEST(ReflectionPad, mirrors_without_repeating_the_edge) {
  Tensor x = tensor({1, 4}, {0, 1, 2, 3});
  const Ints wide = {3, 2};
  const Ints cropped = {-1, 3};
  auto result = call_op("aten::reflection_pad1d", {x.value(), Value::of_ints(wide)});
  auto crop = call_op("aten::reflection_pad1d", {x.value(), Value::of_ints(cropped)});
  ASSERT_TRUE(result.ok() && crop.ok());
  EXPECT_EQ(result->tensors[0].values(), (std::vector<double>{3, 2, 1, 0, 1, 2, 3, 2, 1}));
  EXPECT_EQ(crop->tensors[0].values(), (std::vector<double>{1, 2, 3, 2, 1, 0}));
}

TEST(ReflectionPad, two_dims_of_a_channels_last_tensor) {
  Tensor x = testing::channels_last({1, 1, 2, 2}, {0, 1, 2, 3});
  const Ints pad = {1, 0, 0, 1};
  auto result = call_op("aten::reflection_pad2d", {x.value(), Value::of_ints(pad)});
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->tensors[0].values(), (std::vector<double>{1, 0, 1, 3, 2, 3, 1, 0, 1}));
}

TEST(ReflectionPad, refuses_padding_as_wide_as_the_dim) {
  Tensor x = tensor({1, 4}, {0, 1, 2, 3});
  for (const Ints& pad : std::vector<Ints>{{4, 0}, {0, 4}, {-4, 0}, {1}, {-kMax - 1, 3}}) {
    EXPECT_FALSE(call_op("aten::reflection_pad1d", {x.value(), Value::of_ints(pad)}).ok());
  }
  const Ints pad = {0, 0, 0, 0};
  EXPECT_FALSE(call_op("aten::reflection_pad2d", {x.value(), Value::of_ints(pad)}).ok());
}

TEST(ReplicationPad, repeats_the_edge) {
  Tensor x = tensor({1, 1, 2, 2}, {0, 1, 2, 3});
  const Ints pad = {2, 1, 1, 0};
  auto result = call_op("aten::replication_pad2d", {x.value(), Value::of_ints(pad)});
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->tensors[0].sizes(), (Dims{1, 1, 3, 5}));
  EXPECT_EQ(result->tensors[0].values(), (std::vector<double>{0, 0, 0, 1, 1, 0, 0, 0, 1, 1, 2, 2, 2, 3, 3}));
}

TEST(ReplicationPad, three_dims) {
  Tensor x = tensor({1, 1, 1, 2}, {5, 6});
  const Ints pad = {0, 1, 0, 0, 1, 0};
  auto result = call_op("aten::replication_pad3d", {x.value(), Value::of_ints(pad)});
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->tensors[0].values(), (std::vector<double>{5, 6, 6, 5, 6, 6}));
}

}  // namespace
}  // namespace etalon::ops
