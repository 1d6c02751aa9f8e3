#include <gtest/gtest.h>

#include <numeric>

#include "ops/op_testing.h"
#include "ops/row_major.h"

namespace etalon::ops {
namespace {

using testing::call_op;
using testing::CallOptions;
using testing::Tensor;
using testing::tensor;

std::vector<double> iota(std::int64_t count) {
  std::vector<double> out(static_cast<std::size_t>(count));
  std::iota(out.begin(), out.end(), 0.0);
  return out;
}

TEST(ViewCopy, works_out_the_free_size) {
  Tensor x = tensor({2, 6}, iota(12));
  const std::vector<std::int64_t> sizes = {3, -1};
  auto result = call_op("aten::view_copy", {x.value(), Value::of_ints(sizes)});
  ASSERT_TRUE(result.ok()) << result.error().message();
  EXPECT_EQ(result->tensors[0].sizes(), (Dims{3, 4}));
  EXPECT_EQ(result->tensors[0].values(), iota(12));
}

TEST(ViewCopy, reads_any_dim_order_in_row_major_order) {
  Tensor x(DType::kInt16, {2, 3, 4, 5}, {0, 2, 3, 1});
  x.set_values(iota(120));
  // The last two cannot be walked by one nest of loops.
  for (const std::vector<std::int64_t>& sizes : std::vector<std::vector<std::int64_t>>{
           {2, -1}, {120}, {6, 20}, {2, 3, 20}, {1, 2, 3, 2, 2, 5, 1}, {8, 15}, {5, 24}}) {
    for (const bool reversed : {false, true}) {
      CallOptions options;
      if (reversed) {
        DimOrder order = contiguous_order(sizes.size());
        std::reverse(order.begin(), order.end());
        options.out_order = order;
      }
      auto result = call_op("aten::view", {x.value(), Value::of_ints(sizes)}, options);
      ASSERT_TRUE(result.ok()) << result.error().message();
      EXPECT_EQ(result->tensors[0].values(), iota(120)) << sizes.size();
    }
  }
}

TEST(ViewCopy, refuses_sizes_that_do_not_fit) {
  Tensor x = tensor({2, 6}, iota(12));
  Tensor empty = tensor({0, 3}, {});
  for (const std::vector<std::int64_t>& sizes : std::vector<std::vector<std::int64_t>>{
           {5, -1}, {-1, -1}, {11}, {-2, -6}, {0, -1}, {1ll << 40, 1ll << 40}, std::vector<std::int64_t>(17, 1)}) {
    EXPECT_FALSE(call_op("aten::view_copy", {x.value(), Value::of_ints(sizes)}).ok());
  }
  const std::vector<std::int64_t> ambiguous = {0, -1};
  EXPECT_FALSE(call_op("aten::view_copy", {empty.value(), Value::of_ints(ambiguous)}).ok());
  const std::vector<std::int64_t> free = {-1, 3};
  auto result = call_op("aten::view_copy", {empty.value(), Value::of_ints(free)});
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->tensors[0].sizes(), (Dims{0, 3}));
}

TEST(Squeeze, drops_dims_of_size_one_only) {
  Tensor x = tensor({1, 2, 1, 3}, iota(6));
  const std::vector<std::int64_t> dims = {0, 1, -2};
  auto all = call_op("aten::squeeze_copy", {x.value()});
  auto one = call_op("aten::squeeze_copy.dim", {x.value(), Value::of_int(-2)});
  auto kept = call_op("aten::squeeze_copy.dim", {x.value(), Value::of_int(1)});
  auto some = call_op("aten::squeeze_copy.dims", {x.value(), Value::of_ints(dims)});
  ASSERT_TRUE(all.ok() && one.ok() && kept.ok() && some.ok());
  EXPECT_EQ(all->tensors[0].sizes(), (Dims{2, 3}));
  EXPECT_EQ(one->tensors[0].sizes(), (Dims{1, 2, 3}));
  EXPECT_EQ(kept->tensors[0].sizes(), x.sizes());
  EXPECT_EQ(some->tensors[0].sizes(), (Dims{2, 3}));
  EXPECT_EQ(some->tensors[0].values(), iota(6));
}

TEST(Squeeze, refuses_a_dim_out_of_range_or_twice) {
  Tensor x = tensor({1, 2}, iota(2));
  const std::vector<std::int64_t> twice = {0, -2};
  EXPECT_FALSE(call_op("aten::squeeze_copy.dim", {x.value(), Value::of_int(2)}).ok());
  EXPECT_FALSE(call_op("aten::squeeze_copy.dims", {x.value(), Value::of_ints(twice)}).ok());
}

TEST(Unsqueeze, inserts_a_dim_counted_from_either_end) {
  Tensor x = tensor({2, 3}, iota(6));
  auto last = call_op("aten::unsqueeze_copy", {x.value(), Value::of_int(-1)});
  auto first = call_op("aten::unsqueeze", {x.value(), Value::of_int(0)});
  ASSERT_TRUE(last.ok() && first.ok());
  EXPECT_EQ(last->tensors[0].sizes(), (Dims{2, 3, 1}));
  EXPECT_EQ(first->tensors[0].sizes(), (Dims{1, 2, 3}));
  EXPECT_EQ(first->tensors[0].values(), iota(6));
  EXPECT_FALSE(call_op("aten::unsqueeze", {x.value(), Value::of_int(3)}).ok());
}

TEST(RowMajorCursor, seeks_to_where_it_would_have_walked) {
  const Dims sizes = {2, 3, 4};
  const Dims strides = {1, 2, 6};
  RowMajorCursor walked(sizes, strides);
  for (std::int64_t i = 0; i < 24; ++i) {
    RowMajorCursor sought(sizes, strides);
    sought.seek(i);
    EXPECT_EQ(sought.offset(), walked.offset());
    walked.next();
  }
}

}  // namespace
}  // namespace etalon::ops
