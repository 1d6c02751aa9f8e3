#include <gtest/gtest.h>

#include "ops/op_testing.h"

namespace etalon::ops {
namespace {

using testing::call_op;
using testing::Tensor;
using testing::tensor;

TEST(Tril, keeps_one_triangle_of_each_matrix) {
  Tensor x = tensor({2, 2, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
  auto lower = call_op("aten::tril", {x.value(), Value::of_int(0)});
  auto upper = call_op("aten::triu", {x.value(), Value::of_int(1)});
  ASSERT_TRUE(lower.ok() && upper.ok());
  EXPECT_EQ(lower->tensors[0].values(), (std::vector<double>{1, 0, 0, 4, 5, 0, 7, 0, 0, 10, 11, 0}));
  EXPECT_EQ(upper->tensors[0].values(), (std::vector<double>{0, 2, 3, 0, 0, 6, 0, 8, 9, 0, 0, 12}));
}

TEST(Tril, a_diagonal_far_outside_keeps_all_or_nothing) {
  Tensor x = tensor({2, 2}, {1, 2, 3, 4});
  const auto tril = [&](std::int64_t diagonal) {
    return call_op("aten::tril", {x.value(), Value::of_int(diagonal)})->tensors[0].values();
  };
  EXPECT_EQ(tril(std::numeric_limits<std::int64_t>::max()), (std::vector<double>{1, 2, 3, 4}));
  EXPECT_EQ(tril(std::numeric_limits<std::int64_t>::min()), (std::vector<double>{0, 0, 0, 0}));
  Tensor vector = tensor({2}, {1, 2});
  EXPECT_FALSE(call_op("aten::tril", {vector.value(), Value::of_int(0)}).ok());
}

}  // namespace
}  // namespace etalon::ops
