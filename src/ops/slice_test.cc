#include <gtest/gtest.h>

#include <limits>

#include "ops/op_testing.h"

namespace etalon::ops {
namespace {

using testing::call_op;
using testing::Tensor;
using testing::tensor;

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();

Result<testing::CallResult> slice(Tensor& x, std::int64_t dim, Value start, Value end, std::int64_t step) {
  return call_op("aten::slice_copy.Tensor", {x.value(), Value::of_int(dim), start, end, Value::of_int(step)});
}

TEST(Slice, clamps_bounds_and_steps) {
  Tensor x = tensor({5}, {0, 1, 2, 3, 4});
  const auto values = [&](Value start, Value end, std::int64_t step) {
    auto result = slice(x, 0, start, end, step);
    return result.ok() ? result->tensors[0].values() : std::vector<double>{-1};
  };
  EXPECT_EQ(values({}, {}, 2), (std::vector<double>{0, 2, 4}));
  EXPECT_EQ(values(Value::of_int(1), Value::of_int(kMax), 1), (std::vector<double>{1, 2, 3, 4}));
  EXPECT_EQ(values(Value::of_int(-2), Value::of_int(-1), 1), (std::vector<double>{3}));
  EXPECT_EQ(values(Value::of_int(kMin), Value::of_int(kMax), kMax), (std::vector<double>{0}));
  EXPECT_TRUE(values(Value::of_int(4), Value::of_int(2), 1).empty());
  EXPECT_TRUE(values(Value::of_int(9), {}, 1).empty());
}

TEST(Slice, refuses_a_step_that_is_not_positive_and_a_wrong_dim) {
  Tensor x = tensor({2}, {0, 1});
  Tensor scalar = tensor({}, {0});
  EXPECT_FALSE(slice(x, 0, {}, {}, 0).ok());
  EXPECT_FALSE(slice(x, 0, {}, {}, -1).ok());
  EXPECT_FALSE(slice(x, 1, {}, {}, 1).ok());
  EXPECT_FALSE(slice(scalar, 0, {}, {}, 1).ok());
}

TEST(Slice, takes_columns_of_a_channels_last_tensor) {
  Tensor x = testing::channels_last({1, 2, 2, 3}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  auto result = slice(x, 3, Value::of_int(1), Value::of_int(3), 1);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->tensors[0].values(), (std::vector<double>{1, 2, 4, 5, 7, 8, 10, 11}));
}

TEST(Select, drops_the_dim_and_checks_the_index) {
  Tensor x = tensor({2, 3}, {0, 1, 2, 3, 4, 5});
  auto result = call_op("aten::select_copy.int", {x.value(), Value::of_int(1), Value::of_int(-1)});
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->tensors[0].sizes(), (Dims{2}));
  EXPECT_EQ(result->tensors[0].values(), (std::vector<double>{2, 5}));
  const auto wrong = call_op("aten::select.int", {x.value(), Value::of_int(1), Value::of_int(3)});
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(wrong.error().message(), "select index 3 is out of range for dim 1 of size 3");
}

TEST(Narrow, must_lie_inside) {
  Tensor x = tensor({4}, {0, 1, 2, 3});
  const auto narrow = [&](std::int64_t start, std::int64_t length) {
    return call_op("aten::narrow_copy", {x.value(), Value::of_int(0), Value::of_int(start), Value::of_int(length)});
  };
  auto result = narrow(-3, 2);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->tensors[0].values(), (std::vector<double>{1, 2}));
  EXPECT_TRUE(narrow(4, 0).ok());
  EXPECT_FALSE(narrow(2, 3).ok());
  EXPECT_FALSE(narrow(5, 0).ok());
  EXPECT_FALSE(narrow(0, -1).ok());
  EXPECT_FALSE(narrow(kMin, kMax).ok());
}

TEST(SliceScatter, writes_the_slice_and_keeps_the_rest) {
  Tensor x = tensor({5}, {0, 1, 2, 3, 4});
  Tensor src = tensor({2}, {8, 9});
  auto result = call_op("aten::slice_scatter", {x.value(), src.value(), Value::of_int(0), Value::of_int(1), Value::of_int(4), Value::of_int(2)});
  ASSERT_TRUE(result.ok()) << result.error().message();
  EXPECT_EQ(result->tensors[0].values(), (std::vector<double>{0, 8, 2, 9, 4}));
  EXPECT_FALSE(call_op("aten::slice_scatter", {x.value(), src.value(), Value::of_int(0), {}, {}, Value::of_int(1)}).ok());
}

TEST(SelectScatter, writes_one_index) {
  Tensor x = tensor({2, 2}, {0, 1, 2, 3});
  Tensor src = tensor({2}, {8, 9});
  auto result = call_op("aten::select_scatter", {x.value(), src.value(), Value::of_int(1), Value::of_int(0)});
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->tensors[0].values(), (std::vector<double>{8, 1, 9, 3}));
  EXPECT_FALSE(call_op("aten::select_scatter", {x.value(), src.value(), Value::of_int(1), Value::of_int(2)}).ok());
}

}  // namespace
}  // namespace etalon::ops
