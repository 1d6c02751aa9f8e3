#include <gtest/gtest.h>

#include "ops/op_testing.h"

namespace etalon::ops {
namespace {

using testing::call_op;
using testing::Tensor;
using testing::tensor;

TEST(Split, the_last_part_may_be_shorter) {
  Tensor x = tensor({2, 3}, {0, 1, 2, 3, 4, 5});
  auto result = call_op("aten::split_copy.Tensor", {x.value(), Value::of_int(2), Value::of_int(1)});
  ASSERT_TRUE(result.ok()) << result.error().message();
  ASSERT_EQ(result->tensors.size(), 2u);
  EXPECT_EQ(result->tensors[0].values(), (std::vector<double>{0, 1, 3, 4}));
  EXPECT_EQ(result->tensors[1].values(), (std::vector<double>{2, 5}));
}

TEST(Split, of_an_empty_dim_is_one_empty_part) {
  Tensor x = tensor({0, 3}, {});
  auto result = call_op("aten::split_copy.Tensor", {x.value(), Value::of_int(0), Value::of_int(0)});
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->tensors.size(), 1u);
}

TEST(Split, refuses_sizes_that_cannot_be) {
  Tensor x = tensor({4}, {0, 1, 2, 3});
  Tensor wide(DType::kFloat32, {std::int64_t{1} << 40, 0});
  EXPECT_FALSE(call_op("aten::split.Tensor", {x.value(), Value::of_int(0), Value::of_int(0)}).ok());
  EXPECT_FALSE(call_op("aten::split.Tensor", {x.value(), Value::of_int(-1), Value::of_int(0)}).ok());
  EXPECT_FALSE(call_op("aten::split.Tensor", {wide.value(), Value::of_int(1), Value::of_int(0)}).ok());
  EXPECT_FALSE(call_op("aten::unbind.int", {wide.value(), Value::of_int(0)}).ok());
  for (const std::vector<std::int64_t>& sizes : std::vector<std::vector<std::int64_t>>{{1, 2}, {5}, {5, -1}, {}}) {
    EXPECT_FALSE(call_op("aten::split_with_sizes", {x.value(), Value::of_ints(sizes), Value::of_int(0)}).ok());
  }
}

TEST(SplitWithSizes, cuts_where_told) {
  Tensor x = tensor({4}, {0, 1, 2, 3});
  const std::vector<std::int64_t> sizes = {1, 0, 3};
  auto result = call_op("aten::split_with_sizes_copy", {x.value(), Value::of_ints(sizes), Value::of_int(-1)});
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->tensors[0].values(), (std::vector<double>{0}));
  EXPECT_TRUE(result->tensors[1].values().empty());
  EXPECT_EQ(result->tensors[2].values(), (std::vector<double>{1, 2, 3}));
}

TEST(Unbind, gives_one_tensor_for_each_index) {
  Tensor x = tensor({2, 3}, {0, 1, 2, 3, 4, 5});
  auto result = call_op("aten::unbind_copy.int", {x.value(), Value::of_int(1)});
  ASSERT_TRUE(result.ok());
  ASSERT_EQ(result->tensors.size(), 3u);
  EXPECT_EQ(result->tensors[1].sizes(), (Dims{2}));
  EXPECT_EQ(result->tensors[1].values(), (std::vector<double>{1, 4}));
}

}  // namespace
}  // namespace etalon::ops
