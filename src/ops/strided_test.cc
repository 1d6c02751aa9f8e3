#include "ops/strided.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "ops/op_testing.h"

namespace etalon::ops {
namespace {

using testing::Tensor;
using testing::tensor;

std::vector<double> iota(std::int64_t count) {
  std::vector<double> out;
  for (std::int64_t i = 0; i < count; ++i) out.push_back(static_cast<double>(i));
  return out;
}

TEST(CopyCast, changes_the_memory_order) {
  const Tensor src = tensor({2, 35, 4, 5}, iota(2 * 35 * 4 * 5));
  Tensor dst(DType::kFloat32, src.sizes(), DimOrder{0, 2, 3, 1});
  copy_cast(src.view(), dst.view());
  EXPECT_EQ(dst.values(), src.values());
  Tensor back(DType::kFloat32, src.sizes());
  copy_cast(dst.view(), back.view());
  EXPECT_EQ(back.values(), src.values());
}

TEST(CopyCast, converts_and_changes_the_memory_order_at_once) {
  const Tensor src = tensor(DType::kInt64, {2, 3, 4, 5}, iota(120));
  Tensor dst(DType::kFloat16, src.sizes(), DimOrder{3, 0, 2, 1});
  copy_cast(src.view(), dst.view());
  EXPECT_EQ(dst.values(), src.values());
}

TEST(CopyCast, broadcasts_sizes_of_one_and_missing_dims) {
  const Tensor src = tensor({3, 1}, {1, 2, 3});
  Tensor dst(DType::kFloat32, {2, 3, 2});
  copy_cast(src.view(), dst.view());
  EXPECT_EQ(dst.values(), (std::vector<double>{1, 1, 2, 2, 3, 3, 1, 1, 2, 2, 3, 3}));
}

TEST(CopyCast, copies_nothing_for_an_empty_tensor_and_one_for_rank_zero) {
  const Tensor empty = tensor({0, 3}, {});
  Tensor none(DType::kInt32, {0, 3});
  copy_cast(empty.view(), none.view());
  const Tensor one = tensor({}, {7});
  Tensor copy(DType::kInt32, {});
  copy_cast(one.view(), copy.view());
  EXPECT_EQ(copy.values(), std::vector<double>{7});
}

TEST(CopyCast, follows_negative_steps) {
  const Tensor src = tensor({4}, {1, 2, 3, 4});
  Tensor dst(DType::kFloat32, {4});
  copy_cast(StridedView(src.view()).narrowed(0, 3, 4, -1), StridedView(dst.view()));
  EXPECT_EQ(dst.values(), (std::vector<double>{4, 3, 2, 1}));
}

TEST(CopyCast, writes_into_part_of_a_tensor) {
  const Tensor src = tensor({2, 2}, {1, 2, 3, 4});
  Tensor dst = tensor({2, 4}, std::vector<double>(8, 0));
  copy_cast(StridedView(src.view()), StridedView(dst.view()).narrowed(1, 1, 2, 2));
  EXPECT_EQ(dst.values(), (std::vector<double>{0, 1, 0, 2, 0, 3, 0, 4}));
}

TEST(CopyCast, converts_a_row_longer_than_a_block_between_strides) {
  const Tensor src = tensor(DType::kInt32, {1500, 2}, iota(3000));
  Tensor dst(DType::kFloat64, {2, 1500});
  const std::int64_t swap[] = {1, 0};
  copy_cast(StridedView(src.view()).permuted(swap), StridedView(dst.view()));
  EXPECT_EQ(dst.values()[1499], 2998);
  EXPECT_EQ(dst.values()[1500], 1);
}

TEST(Convert, truncates_wraps_and_keeps_truth) {
  Tensor x = tensor({6}, {-1.5, 300.7, 0.25, 3e9, std::nan(""), -0.0});
  Tensor bytes(DType::kUInt8, {6});
  copy_cast(x.view(), bytes.view());
  EXPECT_EQ(bytes.values(), (std::vector<double>{255, 44, 0, 0, 0, 0}));
  Tensor truth(DType::kBool, {6});
  copy_cast(x.view(), truth.view());
  EXPECT_EQ(truth.values(), (std::vector<double>{1, 1, 1, 1, 1, 0}));
  Tensor words(DType::kInt32, {6});
  copy_cast(x.view(), words.view());
  EXPECT_EQ(words.values()[3], std::numeric_limits<std::int32_t>::min());
}

TEST(Convert, a_bool_byte_other_than_one_is_true) {
  const std::uint8_t bytes[] = {0, 2, 255};
  float out[3];
  convert_run(DType::kBool, bytes, DType::kFloat32, out, 3);
  EXPECT_EQ(out[1], 1.0f);
  EXPECT_EQ(out[2], 1.0f);
}

TEST(Fill, writes_every_element) {
  Tensor dst(DType::kInt16, {3, 5});
  const std::int16_t value = 7;
  fill(StridedView(dst.view()), &value);
  EXPECT_EQ(dst.values(), std::vector<double>(15, 7));
}

TEST(LoopNest, merges_dims_that_are_adjacent_for_all_operands) {
  const Dims sizes{2, 3, 1, 4};
  const LoopNest<2> same(sizes, {contiguous_strides(sizes), contiguous_strides(sizes)});
  EXPECT_EQ(same.rank, 1u);
  EXPECT_EQ(same.run(), 24);
  const LoopNest<2> row(sizes, {contiguous_strides(sizes), Dims{0, 0, 0, 1}});
  EXPECT_EQ(row.rank, 2u);
  EXPECT_EQ(row.run(), 4);
}

}  // namespace
}  // namespace etalon::ops
