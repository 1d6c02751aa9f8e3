#include <gtest/gtest.h>

#include "ops/op_testing.h"

namespace etalon::ops {
namespace {

using testing::call_op;
using testing::Tensor;
using testing::tensor;

TEST(Expand, repeats_dims_of_size_one_and_keeps_minus_one) {
  Tensor x = tensor({2, 1}, {5, 6});
  const std::vector<std::int64_t> sizes = {2, -1, 3};
  auto result = call_op("aten::expand_copy", {x.value(), Value::of_ints(sizes), Value::of_bool(false)});
  ASSERT_TRUE(result.ok()) << result.error().message();
  EXPECT_EQ(result->tensors[0].sizes(), (Dims{2, 2, 3}));
  EXPECT_EQ(result->tensors[0].values(), (std::vector<double>{5, 5, 5, 6, 6, 6, 5, 5, 5, 6, 6, 6}));
}

TEST(Expand, refuses_sizes_that_do_not_fit) {
  Tensor x = tensor({2, 1}, {5, 6});
  for (const std::vector<std::int64_t>& sizes : std::vector<std::vector<std::int64_t>>{
           {3}, {3, 3}, {-1, 2, 3}, {2, -2}, {1ll << 40, 2, 1ll << 40}, std::vector<std::int64_t>(17, 2)}) {
    EXPECT_FALSE(call_op("aten::expand", {x.value(), Value::of_ints(sizes), Value::of_bool(false)}).ok());
  }
}

TEST(Repeat, tiles_every_dim) {
  Tensor x = tensor({2, 2}, {1, 2, 3, 4});
  const std::vector<std::int64_t> repeats = {2, 1, 3};
  auto result = call_op("aten::repeat", {x.value(), Value::of_ints(repeats)});
  ASSERT_TRUE(result.ok()) << result.error().message();
  EXPECT_EQ(result->tensors[0].sizes(), (Dims{2, 2, 6}));
  const std::vector<double> half = {1, 2, 1, 2, 1, 2, 3, 4, 3, 4, 3, 4};
  std::vector<double> both = half;
  both.insert(both.end(), half.begin(), half.end());
  EXPECT_EQ(result->tensors[0].values(), both);
}

TEST(Repeat, zero_times_is_empty_and_bad_counts_are_refused) {
  Tensor x = tensor({2, 2}, {1, 2, 3, 4});
  const std::vector<std::int64_t> none = {0, 3};
  auto result = call_op("aten::repeat", {x.value(), Value::of_ints(none)});
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->tensors[0].sizes(), (Dims{0, 6}));
  for (const std::vector<std::int64_t>& repeats :
       std::vector<std::vector<std::int64_t>>{{2}, {-1, 1}, {1ll << 62, 1ll << 62}, std::vector<std::int64_t>(17, 1)}) {
    EXPECT_FALSE(call_op("aten::repeat", {x.value(), Value::of_ints(repeats)}).ok());
  }
}

}  // namespace
}  // namespace etalon::ops
