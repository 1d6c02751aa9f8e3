#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "ops/op_testing.h"

namespace etalon::ops {
namespace {

using testing::call_op;
using ::testing::ElementsAre;
using testing::tensor;
using testing::Tensor;

Value number(std::string_view name, std::vector<Value> args) {
  auto result = call_op(name, std::move(args));
  EXPECT_TRUE(result.ok()) << name << ": " << result.error().message();
  return result.ok() ? result->numbers[0] : Value();
}
Value i(std::int64_t v) { return Value::of_int(v); }
Value d(double v) { return Value::of_double(v); }

TEST(Prim, arithmetic_keeps_integers_and_follows_python) {
  EXPECT_EQ(number("executorch_prim::add.Scalar", {i(2), i(3)}).as_int(), 5);
  EXPECT_EQ(number("executorch_prim::add.Scalar", {i(2), d(0.5)}).as_double(), 2.5);
  EXPECT_EQ(number("executorch_prim::sub.Scalar", {i(2), i(3)}).as_int(), -1);
  EXPECT_EQ(number("executorch_prim::mul.Scalar", {i(2), Value::of_bool(true)}).as_int(), 2);
  EXPECT_EQ(number("executorch_prim::floordiv.Scalar", {i(-7), i(2)}).as_int(), -4);
  EXPECT_EQ(number("executorch_prim::floordiv.int", {i(7), i(2)}).as_int(), 3);
  EXPECT_EQ(number("executorch_prim::mod.Scalar", {i(-7), i(2)}).as_int(), 1);
  EXPECT_EQ(number("executorch_prim::truediv.Scalar", {i(7), i(2)}).as_double(), 3.5);
  EXPECT_EQ(number("executorch_prim::neg.Scalar", {d(1.5)}).as_double(), -1.5);
  EXPECT_EQ(number("_operator.mul", {i(6), i(7)}).as_int(), 42);
}

TEST(Prim, division_by_zero_and_numbers_too_large_are_errors) {
  for (const auto* name : {"executorch_prim::floordiv.Scalar", "executorch_prim::truediv.Scalar",
                           "executorch_prim::mod.Scalar"}) {
    EXPECT_FALSE(call_op(name, {i(1), i(0)}).ok()) << name;
  }
  EXPECT_FALSE(call_op("executorch_prim::sym_int.Scalar", {d(1e30)}).ok());
  EXPECT_FALSE(call_op("executorch_prim::ceil.Scalar", {d(std::nan(""))}).ok());
}

TEST(Prim, comparisons_mix_integers_and_floats) {
  EXPECT_TRUE(number("executorch_prim::eq.Scalar", {i(2), d(2)}).as_bool());
  EXPECT_TRUE(number("executorch_prim::lt.Scalar", {i(2), d(2.5)}).as_bool());
  EXPECT_FALSE(number("executorch_prim::ge.Scalar", {i(2), d(2.5)}).as_bool());
  EXPECT_TRUE(number("executorch_prim::le.Scalar", {i(2), i(2)}).as_bool());
  EXPECT_FALSE(number("executorch_prim::gt.Scalar", {d(std::nan("")), i(2)}).as_bool());
  EXPECT_EQ(number("executorch_prim::sym_max.Scalar", {i(2), i(3)}).as_int(), 3);
  EXPECT_EQ(number("executorch_prim::sym_min.Scalar", {i(2), d(2.5)}).as_int(), 2);
}

TEST(Prim, conversions_round_as_python_does) {
  EXPECT_EQ(number("executorch_prim::ceil.Scalar", {d(1.2)}).as_int(), 2);
  EXPECT_EQ(number("executorch_prim::round.Scalar", {d(2.5)}).as_int(), 2);
  EXPECT_EQ(number("executorch_prim::trunc.Scalar", {d(-1.7)}).as_int(), -1);
  EXPECT_EQ(number("executorch_prim::sym_int.Scalar", {d(3.9)}).as_int(), 3);
  EXPECT_EQ(number("executorch_prim::sym_float.Scalar", {i(3)}).as_double(), 3.0);
  EXPECT_TRUE(number("executorch_prim::sym_not.Scalar", {i(0)}).as_bool());
  EXPECT_EQ(number("executorch_prim::sym_ite.Scalar", {Value::of_bool(false), i(1), i(2)}).as_int(), 2);
}

TEST(Prim, reads_sizes_and_items_of_tensors) {
  Tensor x = tensor({2, 3}, {1, 2, 3, 4, 5, 6});
  EXPECT_EQ(number("aten::sym_size.int", {x.value(), i(-1)}).as_int(), 3);
  EXPECT_FALSE(call_op("aten::sym_size.int", {x.value(), i(2)}).ok());
  EXPECT_EQ(number("aten::sym_numel", {x.value()}).as_int(), 6);
  EXPECT_FALSE(call_op("aten::_local_scalar_dense", {x.value()}).ok());
  Tensor half = tensor(DType::kFloat16, {1}, {0.5});
  EXPECT_EQ(number("aten::_local_scalar_dense", {half.value()}).as_double(), 0.5);
  Tensor truth = tensor(DType::kBool, {}, {1});
  EXPECT_TRUE(number("aten::_local_scalar_dense", {truth.value()}).is(Value::Tag::kBool));
}

TEST(EtView, shares_the_memory_of_its_argument) {
  Tensor x = tensor({2, 3}, {1, 2, 3, 4, 5, 6});
  const std::int64_t sizes[] = {-1, 2};
  auto result = call_op("executorch_prim::et_view.default", {x.value(), Value::of_ints(sizes)});
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->tensors[0].sizes(), (Dims{3, 2}));
  EXPECT_EQ(result->tensors[0].view().data(), x.view().data());
}

TEST(EtView, refuses_sizes_that_do_not_fit) {
  Tensor x = tensor({2, 3}, {1, 2, 3, 4, 5, 6});
  const std::int64_t four[] = {-1, 4};
  const std::int64_t open[] = {-1, -1};
  const std::int64_t negative[] = {-2, -3};
  for (const auto sizes : {std::span<const std::int64_t>(four), std::span<const std::int64_t>(open),
                           std::span<const std::int64_t>(negative)}) {
    EXPECT_FALSE(call_op("executorch_prim::et_view.default", {x.value(), Value::of_ints(sizes)}).ok());
  }
}

TEST(EtCopyIndex, appends_slices) {
  Tensor to = tensor({2, 2}, {0, 0, 0, 0});
  Tensor from = tensor({2}, {7, 8});
  ASSERT_TRUE(call_op("executorch_prim::et_copy_index.tensor", {to.value(), from.value(), i(1)}).ok());
  EXPECT_THAT(to.values(), ElementsAre(0, 0, 7, 8));
  EXPECT_FALSE(call_op("executorch_prim::et_copy_index.tensor", {to.value(), from.value(), i(2)}).ok());
  EXPECT_FALSE(call_op("executorch_prim::et_copy_index.tensor", {to.value(), from.value(), i(-1)}).ok());
}

}  // namespace
}  // namespace etalon::ops
