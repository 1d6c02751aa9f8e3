#include <gtest/gtest.h>

#include <limits>

#include "ops/op_testing.h"

namespace etalon::ops {
namespace {

using testing::call_op;
using testing::Tensor;
using testing::tensor;

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();

TEST(Diagonal, above_below_and_outside) {
  Tensor x = tensor({2, 3}, {0, 1, 2, 3, 4, 5});
  const auto diagonal = [&](std::int64_t offset) {
    auto result = call_op("aten::diagonal_copy", {x.value(), Value::of_int(offset), Value::of_int(0), Value::of_int(1)});
    return result.ok() ? result->tensors[0].values() : std::vector<double>{-1};
  };
  EXPECT_EQ(diagonal(0), (std::vector<double>{0, 4}));
  EXPECT_EQ(diagonal(1), (std::vector<double>{1, 5}));
  EXPECT_EQ(diagonal(-1), (std::vector<double>{3}));
  EXPECT_TRUE(diagonal(kMax).empty());
  EXPECT_TRUE(diagonal(-kMax - 1).empty());
}

TEST(Diagonal, wants_two_different_dims) {
  Tensor x = tensor({2, 2}, {0, 1, 2, 3});
  Tensor vector = tensor({2}, {0, 1});
  EXPECT_FALSE(call_op("aten::diagonal", {x.value(), Value::of_int(0), Value::of_int(0), Value::of_int(-2)}).ok());
  EXPECT_FALSE(call_op("aten::diagonal", {vector.value(), Value::of_int(0), Value::of_int(0), Value::of_int(1)}).ok());
}

TEST(AsStrided, reads_overlapping_windows) {
  Tensor x = tensor({5}, {0, 1, 2, 3, 4});
  const std::vector<std::int64_t> sizes = {2, 3};
  const std::vector<std::int64_t> strides = {1, 1};
  auto result = call_op("aten::as_strided_copy", {x.value(), Value::of_ints(sizes), Value::of_ints(strides), Value::of_int(1)});
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->tensors[0].values(), (std::vector<double>{1, 2, 3, 2, 3, 4}));
}

TEST(AsStrided, never_reaches_outside) {
  Tensor x = tensor({5}, {0, 1, 2, 3, 4});
  const auto call = [&](std::vector<std::int64_t> sizes, std::vector<std::int64_t> strides, std::int64_t offset) {
    return call_op("aten::as_strided", {x.value(), Value::of_ints(sizes), Value::of_ints(strides), Value::of_int(offset)}).ok();
  };
  EXPECT_TRUE(call({5}, {1}, 0));
  EXPECT_TRUE(call({0}, {kMax}, kMax));
  EXPECT_FALSE(call({5}, {1}, 1));
  EXPECT_FALSE(call({2}, {-1}, 4));
  EXPECT_FALSE(call({1}, {1}, -1));
  EXPECT_FALSE(call({3, 3}, {kMax, kMax}, 0));
  EXPECT_FALSE(call({2, 2}, {1}, 0));
  EXPECT_FALSE(call({}, {}, 5));
}

TEST(Unfold, appends_the_window_as_the_last_dim) {
  Tensor x = tensor({5}, {0, 1, 2, 3, 4});
  auto result = call_op("aten::unfold_copy", {x.value(), Value::of_int(0), Value::of_int(3), Value::of_int(2)});
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->tensors[0].sizes(), (Dims{2, 3}));
  EXPECT_EQ(result->tensors[0].values(), (std::vector<double>{0, 1, 2, 2, 3, 4}));
  EXPECT_FALSE(call_op("aten::unfold", {x.value(), Value::of_int(0), Value::of_int(6), Value::of_int(1)}).ok());
  EXPECT_FALSE(call_op("aten::unfold", {x.value(), Value::of_int(0), Value::of_int(1), Value::of_int(0)}).ok());
}

}  // namespace
}  // namespace etalon::ops
