#include <gtest/gtest.h>

#include "ops/op_testing.h"

namespace etalon::ops {
namespace {

using testing::call_op;
using testing::Tensor;
using testing::tensor;

Result<testing::CallResult> embed(Tensor& weight, Tensor& index) {
  return call_op("aten::embedding", {weight.value(), index.value(), Value::of_int(-1), Value::of_bool(false), Value::of_bool(false)});
}

TEST(Embedding, looks_up_rows_in_any_dim_order) {
  Tensor index = tensor(DType::kInt64, {2, 2}, {2, 0, 1, 2});
  Tensor rows = tensor({3, 2}, {0, 1, 2, 3, 4, 5});
  Tensor columns(DType::kFloat32, {3, 2}, {1, 0});
  columns.set_values({0, 1, 2, 3, 4, 5});
  for (Tensor* weight : {&rows, &columns}) {
    auto result = embed(*weight, index);
    ASSERT_TRUE(result.ok()) << result.error().message();
    EXPECT_EQ(result->tensors[0].sizes(), (Dims{2, 2, 2}));
    EXPECT_EQ(result->tensors[0].values(), (std::vector<double>{4, 5, 0, 1, 2, 3, 4, 5}));
  }
}

TEST(Embedding, refuses_indices_out_of_range) {
  Tensor weight = tensor({3, 2}, {0, 1, 2, 3, 4, 5});
  Tensor high = tensor(DType::kInt32, {1}, {3});
  Tensor low = tensor(DType::kInt64, {1}, {-1});
  EXPECT_EQ(embed(weight, high).error().message(), "embedding: index 3 is out of range for dim 0 of size 3");
  EXPECT_FALSE(embed(weight, low).ok());
  Tensor real = tensor({1}, {1});
  EXPECT_FALSE(embed(weight, real).ok());
}

TEST(IndexSelect, along_any_dim) {
  Tensor x = tensor({2, 3}, {0, 1, 2, 3, 4, 5});
  Tensor columns(DType::kFloat32, {2, 3}, {1, 0});
  columns.set_values({0, 1, 2, 3, 4, 5});
  Tensor index = tensor(DType::kInt32, {2}, {2, 0});
  for (Tensor* self : {&x, &columns}) {
    auto result = call_op("aten::index_select", {self->value(), Value::of_int(1), index.value()});
    ASSERT_TRUE(result.ok());
    EXPECT_EQ(result->tensors[0].values(), (std::vector<double>{2, 0, 5, 3}));
  }
  Tensor bad = tensor(DType::kInt32, {2}, {2, -1});
  EXPECT_FALSE(call_op("aten::index_select", {x.value(), Value::of_int(1), bad.value()}).ok());
}

TEST(IndexSelect, from_a_tensor_without_dims) {
  Tensor x = tensor({}, {7});
  Tensor index = tensor(DType::kInt64, {1}, {0});
  auto result = call_op("aten::index_select", {x.value(), Value::of_int(0), index.value()});
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->tensors[0].values(), (std::vector<double>{7}));
  Tensor two = tensor(DType::kInt64, {2}, {0, 0});
  EXPECT_FALSE(call_op("aten::index_select", {x.value(), Value::of_int(0), two.value()}).ok());
}

}  // namespace
}  // namespace etalon::ops
