#include "ops/data_dependent.h"

#include <gtest/gtest.h>

#include "ops/op_testing.h"

namespace etalon::ops {
namespace {

using testing::Tensor;
using testing::tensor;

std::optional<std::size_t> open_dim(std::string_view name, const std::vector<Value>& values) {
  std::vector<const Value*> args;
  for (const Value& value : values) args.push_back(&value);
  return data_dependent_dim(*find_op(name), Call(args, {}));
}

TEST(DataDependentDim, is_where_a_mask_stands) {
  Tensor x(DType::kFloat32, {2, 3, 4});
  TensorView mask(DType::kBool, Dims{3, 4}, nullptr);
  TensorView index(DType::kInt64, Dims{2}, nullptr);
  TensorView* masked[] = {nullptr, &mask};
  TensorView* indexed[] = {&index};
  EXPECT_EQ(open_dim("aten::index.Tensor", {x.value(), Value::of_tensors(masked)}), 1u);
  EXPECT_EQ(open_dim("aten::index.Tensor", {x.value(), Value::of_tensors(indexed)}), std::nullopt);
}

TEST(DataDependentDim, is_nothing_when_the_deciding_contents_are_known) {
  TensorView unknown(DType::kFloat32, Dims{2}, nullptr);
  Tensor mask = tensor(DType::kBool, {2}, {1, 0});
  EXPECT_EQ(open_dim("aten::nonzero", {Value::of_tensor(&unknown)}), 0u);
  EXPECT_EQ(open_dim("aten::nonzero", {mask.value()}), std::nullopt);
  EXPECT_EQ(open_dim("aten::masked_select", {Value::of_tensor(&unknown), mask.value()}), std::nullopt);
  EXPECT_EQ(open_dim("aten::masked_select", {mask.value(), Value::of_tensor(&unknown)}), 0u);
  EXPECT_EQ(open_dim("aten::view_copy", {Value::of_tensor(&unknown)}), std::nullopt);
}

}  // namespace
}  // namespace etalon::ops
