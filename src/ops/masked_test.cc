#include <gtest/gtest.h>

#include <limits>

#include "ops/op_testing.h"

namespace etalon::ops {
namespace {

using testing::call_op;
using testing::Tensor;
using testing::tensor;

TEST(Nonzero, lists_indices_in_row_major_order_of_any_dim_order) {
  Tensor x(DType::kFloat32, {2, 3}, {1, 0});
  x.set_values({0, 1, -0.0, std::numeric_limits<double>::quiet_NaN(), 0, 2});
  auto result = call_op("aten::nonzero", {x.value()});
  ASSERT_TRUE(result.ok()) << result.error().message();
  EXPECT_EQ(result->tensors[0].sizes(), (Dims{3, 2}));
  EXPECT_EQ(result->tensors[0].values(), (std::vector<double>{0, 1, 1, 0, 1, 2}));
}

TEST(Nonzero, reports_the_bound_when_contents_are_unknown_and_shrinks_at_run_time) {
  TensorView unknown(DType::kBool, Dims{2, 3}, nullptr);
  const Value self = Value::of_tensor(&unknown);
  const Value* args[] = {&self};
  testing::RecordedShapes shapes;
  const Op* op = find_op("aten::nonzero");
  ASSERT_TRUE(op->def->infer(Call(args, {}), shapes).ok());
  EXPECT_EQ(shapes.outs[0][0].sizes, (Dims{6, 2}));

  Tensor x = tensor(DType::kBool, {2, 3}, {0, 1, 0, 0, 0, 1});
  Tensor out(DType::kInt64, {6, 2});
  out.view().set_resizable(true);
  const Value known = x.value();
  Value result = out.value();
  const Value* known_args[] = {&known};
  Value* outs[] = {&result};
  ASSERT_TRUE(op->def->kernel(Call(known_args, outs)).ok());
  EXPECT_EQ(out.sizes(), (Dims{2, 2}));
  EXPECT_EQ(out.values(), (std::vector<double>{0, 1, 1, 2}));
}

TEST(MaskedSelect, broadcasts_both_ways) {
  Tensor x = tensor({2, 3}, {0, 1, 2, 3, 4, 5});
  Tensor row = tensor(DType::kBool, {3}, {1, 0, 1});
  Tensor cube = tensor(DType::kBool, {2, 1, 1}, {1, 0});
  Tensor real = tensor({3}, {1, 0, 1});
  auto result = call_op("aten::masked_select", {x.value(), row.value()});
  auto wide = call_op("aten::masked_select", {x.value(), cube.value()});
  ASSERT_TRUE(result.ok() && wide.ok());
  EXPECT_EQ(result->tensors[0].values(), (std::vector<double>{0, 2, 3, 5}));
  EXPECT_EQ(wide->tensors[0].values(), (std::vector<double>{0, 1, 2, 3, 4, 5}));
  EXPECT_FALSE(call_op("aten::masked_select", {x.value(), real.value()}).ok());
}

TEST(MaskedScatter, takes_from_source_in_order) {
  Tensor x = tensor({2, 3}, {0, 0, 0, 0, 0, 0});
  Tensor mask = tensor(DType::kBool, {3}, {1, 0, 1});
  Tensor source(DType::kFloat32, {2, 3}, {1, 0});
  source.set_values({1, 2, 3, 4, 5, 6});
  auto result = call_op("aten::masked_scatter", {x.value(), mask.value(), source.value()});
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->tensors[0].values(), (std::vector<double>{1, 0, 2, 3, 0, 4}));
  Tensor few = tensor({3}, {1, 2, 3});
  const auto wrong = call_op("aten::masked_scatter", {x.value(), mask.value(), few.value()});
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(wrong.error().message(), "masked_scatter: the mask has more true elements than the 3 of source");
}

TEST(RepeatInterleave, repeats_each_index) {
  Tensor repeats = tensor(DType::kInt32, {4}, {1, 2, 0, 3});
  auto result = call_op("aten::repeat_interleave.Tensor", {repeats.value()});
  ASSERT_TRUE(result.ok()) << result.error().message();
  EXPECT_EQ(result->tensors[0].dtype(), DType::kInt32);
  EXPECT_EQ(result->tensors[0].values(), (std::vector<double>{0, 1, 1, 3, 3, 3}));
  EXPECT_FALSE(call_op("aten::repeat_interleave.Tensor", {repeats.value(), Value::of_int(5)}).ok());
  Tensor negative = tensor(DType::kInt64, {2}, {3, -1});
  EXPECT_FALSE(call_op("aten::repeat_interleave.Tensor", {negative.value()}).ok());
  Tensor huge = tensor(DType::kInt64, {3}, {4e18, 4e18, 4e18});
  EXPECT_FALSE(call_op("aten::repeat_interleave.Tensor", {huge.value()}).ok());
}

}  // namespace
}  // namespace etalon::ops
