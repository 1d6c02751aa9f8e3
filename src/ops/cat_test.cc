#include <gtest/gtest.h>

#include "ops/op_testing.h"

namespace etalon::ops {
namespace {

using testing::call_op;
using testing::Tensor;
using testing::tensor;

TEST(Cat, joins_along_a_dim_and_promotes_dtypes) {
  Tensor a = tensor(DType::kInt32, {2, 1}, {1, 2});
  Tensor b = tensor({2, 2}, {3.5, 4, 5, 6});
  TensorView* items[] = {&a.view(), &b.view()};
  auto result = call_op("aten::cat", {Value::of_tensors(items), Value::of_int(-1)});
  ASSERT_TRUE(result.ok()) << result.error().message();
  EXPECT_EQ(result->tensors[0].dtype(), DType::kFloat32);
  EXPECT_EQ(result->tensors[0].values(), (std::vector<double>{1, 3.5, 4, 2, 5, 6}));
}

TEST(Cat, keeps_the_dim_order_that_all_tensors_share) {
  Tensor a = testing::channels_last({1, 2, 1, 2}, {0, 1, 2, 3});
  Tensor b = testing::channels_last({1, 1, 1, 2}, {4, 5});
  TensorView* items[] = {&a.view(), &b.view()};
  auto result = call_op("aten::cat", {Value::of_tensors(items), Value::of_int(1)});
  ASSERT_TRUE(result.ok());
  EXPECT_TRUE(is_channels_last_order(result->tensors[0].view().order()));
  EXPECT_EQ(result->tensors[0].values(), (std::vector<double>{0, 1, 2, 3, 4, 5}));
}

TEST(Cat, passes_over_tensors_of_sizes_zero) {
  Tensor none = tensor({0}, {});
  Tensor b = tensor({1, 2}, {3, 4});
  TensorView* items[] = {&none.view(), &b.view(), &none.view()};
  auto result = call_op("aten::cat", {Value::of_tensors(items), Value::of_int(0)});
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->tensors[0].sizes(), (Dims{1, 2}));
  TensorView* all_none[] = {&none.view()};
  auto empty = call_op("aten::cat", {Value::of_tensors(all_none), Value::of_int(0)});
  ASSERT_TRUE(empty.ok());
  EXPECT_EQ(empty->tensors[0].sizes(), (Dims{0}));
}

TEST(Cat, refuses_shapes_that_do_not_fit) {
  Tensor a = tensor({1, 2}, {1, 2});
  Tensor b = tensor({1, 3}, {1, 2, 3});
  Tensor c = tensor({2}, {1, 2});
  Tensor scalar = tensor({}, {1});
  for (Tensor* other : {&b, &c, &scalar}) {
    TensorView* items[] = {&a.view(), &other->view()};
    EXPECT_FALSE(call_op("aten::cat", {Value::of_tensors(items), Value::of_int(0)}).ok());
  }
  TensorView* scalars[] = {&scalar.view()};
  EXPECT_FALSE(call_op("aten::cat", {Value::of_tensors(scalars), Value::of_int(0)}).ok());
  EXPECT_FALSE(call_op("aten::cat", {Value::of_tensors({}), Value::of_int(0)}).ok());
}

TEST(Stack, inserts_the_new_dim) {
  Tensor a = tensor({2}, {1, 2});
  Tensor b = tensor({2}, {3, 4});
  TensorView* items[] = {&a.view(), &b.view()};
  auto last = call_op("aten::stack", {Value::of_tensors(items), Value::of_int(-1)});
  ASSERT_TRUE(last.ok());
  EXPECT_EQ(last->tensors[0].values(), (std::vector<double>{1, 3, 2, 4}));
  EXPECT_FALSE(call_op("aten::stack", {Value::of_tensors(items), Value::of_int(2)}).ok());
  Tensor c = tensor({3}, {1, 2, 3});
  TensorView* uneven[] = {&a.view(), &c.view()};
  EXPECT_FALSE(call_op("aten::stack", {Value::of_tensors(uneven), Value::of_int(0)}).ok());
}

}  // namespace
}  // namespace etalon::ops
