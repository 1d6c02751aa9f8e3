#include <gtest/gtest.h>

#include "ops/op_testing.h"

namespace etalon::ops {
namespace {

using testing::call_op;
using testing::Tensor;
using testing::tensor;

TEST(Gather, picks_along_a_dim) {
  Tensor x = tensor({2, 3}, {0, 1, 2, 3, 4, 5});
  Tensor index = tensor(DType::kInt64, {2, 2}, {2, 0, 1, 1});
  auto result = call_op("aten::gather", {x.value(), Value::of_int(1), index.value(), Value::of_bool(false)});
  ASSERT_TRUE(result.ok()) << result.error().message();
  EXPECT_EQ(result->tensors[0].values(), (std::vector<double>{2, 0, 4, 4}));
}

TEST(Gather, refuses_indices_out_of_range_and_shapes_that_do_not_fit) {
  Tensor x = tensor({2, 3}, {0, 1, 2, 3, 4, 5});
  for (const double bad : {-1.0, 3.0, 9e18}) {
    Tensor index = tensor(DType::kInt64, {1, 1}, {bad});
    EXPECT_FALSE(call_op("aten::gather", {x.value(), Value::of_int(1), index.value(), Value::of_bool(false)}).ok());
  }
  Tensor index = tensor(DType::kInt64, {1, 1}, {3});
  EXPECT_EQ(call_op("aten::gather", {x.value(), Value::of_int(1), index.value(), Value::of_bool(false)}).error().message(),
            "gather: index 3 is out of range for dim 1 of size 3");
  Tensor tall = tensor(DType::kInt64, {3, 1}, {0, 0, 0});
  Tensor flat = tensor(DType::kInt64, {2}, {0, 0});
  Tensor real = tensor({1, 1}, {0});
  for (Tensor* wrong : {&tall, &flat, &real}) {
    EXPECT_FALSE(call_op("aten::gather", {x.value(), Value::of_int(1), wrong->value(), Value::of_bool(false)}).ok());
  }
}

TEST(Scatter, the_last_of_equal_indices_wins) {
  Tensor x = tensor({2, 2}, {0, 0, 0, 0});
  Tensor index = tensor(DType::kInt64, {3, 2}, {0, 1, 1, 1, 0, 0});
  Tensor src = tensor({3, 2}, {1, 2, 3, 4, 5, 6});
  auto result = call_op("aten::scatter.src", {x.value(), Value::of_int(0), index.value(), src.value()});
  ASSERT_TRUE(result.ok()) << result.error().message();
  EXPECT_EQ(result->tensors[0].values(), (std::vector<double>{5, 6, 3, 4}));
}

TEST(Scatter, writes_one_value) {
  Tensor x = tensor(DType::kInt8, {4}, {1, 2, 3, 4});
  Tensor index = tensor(DType::kInt64, {2}, {3, 0});
  auto result = call_op("aten::scatter.value", {x.value(), Value::of_int(0), index.value(), Value::of_double(7.9)});
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->tensors[0].values(), (std::vector<double>{7, 2, 3, 7}));
  Tensor bad = tensor(DType::kInt64, {2}, {3, 4});
  EXPECT_FALSE(call_op("aten::scatter.value", {x.value(), Value::of_int(0), bad.value(), Value::of_int(0)}).ok());
}

TEST(ScatterAdd, adds_up) {
  Tensor x = tensor(DType::kFloat16, {3}, {1, 1, 1});
  Tensor index = tensor(DType::kInt64, {4}, {0, 0, 2, 0});
  Tensor src = tensor(DType::kFloat16, {5}, {1, 2, 3, 4, 99});
  auto result = call_op("aten::scatter_add", {x.value(), Value::of_int(0), index.value(), src.value()});
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->tensors[0].values(), (std::vector<double>{8, 1, 4}));
  Tensor narrow = tensor(DType::kFloat16, {3}, {1, 2, 3});
  Tensor other = tensor({4}, {1, 2, 3, 4});
  EXPECT_FALSE(call_op("aten::scatter_add", {x.value(), Value::of_int(0), index.value(), narrow.value()}).ok());
  EXPECT_FALSE(call_op("aten::scatter_add", {x.value(), Value::of_int(0), index.value(), other.value()}).ok());
}

}  // namespace
}  // namespace etalon::ops
