#include <gtest/gtest.h>

#include "ops/op_testing.h"

namespace etalon::ops {
namespace {

using testing::call_op;
using testing::Tensor;
using testing::tensor;

TEST(Flip, reverses_the_dims_named) {
  Tensor x = tensor({2, 3}, {0, 1, 2, 3, 4, 5});
  const std::vector<std::int64_t> both = {0, -1};
  const std::vector<std::int64_t> twice = {0, -2};
  auto result = call_op("aten::flip", {x.value(), Value::of_ints(both)});
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->tensors[0].values(), (std::vector<double>{5, 4, 3, 2, 1, 0}));
  EXPECT_FALSE(call_op("aten::flip", {x.value(), Value::of_ints(twice)}).ok());
}

TEST(Roll, along_dims_wraps_around) {
  Tensor x = tensor({2, 3}, {0, 1, 2, 3, 4, 5});
  const std::vector<std::int64_t> shifts = {-1, 4};
  const std::vector<std::int64_t> dims = {1, 0};
  auto result = call_op("aten::roll", {x.value(), Value::of_ints(shifts), Value::of_ints(dims)});
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->tensors[0].values(), (std::vector<double>{1, 2, 0, 4, 5, 3}));
}

TEST(Roll, without_dims_treats_the_tensor_as_one_row) {
  const std::vector<std::int64_t> shift = {-8};
  const std::vector<double> wanted = {2, 3, 4, 5, 0, 1};
  Tensor x = tensor({2, 3}, {0, 1, 2, 3, 4, 5});
  Tensor columns(DType::kFloat32, {2, 3}, {1, 0});
  columns.set_values({0, 1, 2, 3, 4, 5});
  for (Tensor* input : {&x, &columns}) {
    auto result = call_op("aten::roll", {input->value(), Value::of_ints(shift), Value::of_ints({})});
    ASSERT_TRUE(result.ok());
    EXPECT_EQ(result->tensors[0].values(), wanted);
  }
}

TEST(Roll, wants_a_shift_for_each_dim) {
  Tensor x = tensor({2, 3}, {0, 1, 2, 3, 4, 5});
  const std::vector<std::int64_t> two = {1, 1};
  const std::vector<std::int64_t> one = {1};
  EXPECT_FALSE(call_op("aten::roll", {x.value(), Value::of_ints(two), Value::of_ints(one)}).ok());
  EXPECT_FALSE(call_op("aten::roll", {x.value(), Value::of_ints(two), Value::of_ints({})}).ok());
}

}  // namespace
}  // namespace etalon::ops
