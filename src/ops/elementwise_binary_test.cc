#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "ops/op_testing.h"

namespace etalon::ops {
namespace {

using testing::call_op;
using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pointwise;
using testing::tensor;
using testing::Tensor;

constexpr double kInf = std::numeric_limits<double>::infinity();
const Value kOne = Value::of_int(1);

Tensor run(std::string_view name, std::vector<Value> args) {
  auto result = call_op(name, std::move(args));
  EXPECT_TRUE(result.ok()) << name << ": " << result.error().message();
  return std::move(result->tensors[0]);
}
std::string error_of(std::string_view name, std::vector<Value> args) {
  auto result = call_op(name, std::move(args));
  return result.ok() ? "no error" : result.error().message();
}

TEST(Arithmetic, broadcasts_and_applies_alpha) {
  Tensor a = tensor({2, 1}, {1, 2});
  Tensor b = tensor({3}, {10, 20, 30});
  EXPECT_THAT(run("aten::add.Tensor", {a.value(), b.value(), Value::of_int(2)}).values(),
              ElementsAre(21, 41, 61, 22, 42, 62));
  EXPECT_THAT(run("aten::sub.Tensor", {b.value(), a.value(), kOne}).values(),
              ElementsAre(9, 19, 29, 8, 18, 28));
  EXPECT_THAT(run("aten::mul.Tensor", {a.value(), b.value()}).values(), ElementsAre(10, 20, 30, 20, 40, 60));
  EXPECT_THAT(run("aten::rsub.Scalar", {b.value(), Value::of_int(5), Value::of_int(2)}).values(),
              ElementsAre(-15, -35, -55));
}

TEST(Arithmetic, names_shapes_that_do_not_broadcast) {
  Tensor a = tensor({2}, {1, 2});
  Tensor b = tensor({3}, {1, 2, 3});
  EXPECT_THAT(error_of("aten::mul.Tensor", {a.value(), b.value()}), HasSubstr("[2] and [3]"));
}

TEST(Arithmetic, promotes_as_torch_does) {
  Tensor i32 = tensor(DType::kInt32, {1}, {3});
  Tensor f64_0d = tensor(DType::kFloat64, {}, {2});
  Tensor half = tensor(DType::kFloat16, {1}, {3});
  EXPECT_EQ(run("aten::mul.Tensor", {i32.value(), f64_0d.value()}).dtype(), DType::kFloat64);
  EXPECT_EQ(run("aten::mul.Tensor", {half.value(), f64_0d.value()}).dtype(), DType::kFloat16);
  EXPECT_EQ(run("aten::mul.Scalar", {i32.value(), Value::of_double(0.5)}).dtype(), DType::kFloat32);
  EXPECT_THAT(run("aten::mul.Scalar", {i32.value(), Value::of_double(0.5)}).values(), ElementsAre(1.5));
  EXPECT_EQ(run("aten::div.Tensor", {i32.value(), i32.value()}).dtype(), DType::kFloat32);
}

TEST(Arithmetic, of_bools_is_or_and_and) {
  Tensor a = tensor(DType::kBool, {4}, {0, 0, 1, 1});
  Tensor b = tensor(DType::kBool, {4}, {0, 1, 0, 1});
  EXPECT_THAT(run("aten::add.Tensor", {a.value(), b.value(), kOne}).values(), ElementsAre(0, 1, 1, 1));
  EXPECT_THAT(run("aten::mul.Tensor", {a.value(), b.value()}).values(), ElementsAre(0, 0, 0, 1));
  EXPECT_THAT(error_of("aten::sub.Tensor", {a.value(), b.value(), kOne}), HasSubstr("logical_xor"));
}

TEST(Arithmetic, integers_wrap) {
  Tensor a = tensor(DType::kInt8, {2}, {127, -128});
  EXPECT_THAT(run("aten::add.Scalar", {a.value(), kOne, kOne}).values(), ElementsAre(-128, -127));
  EXPECT_THAT(error_of("aten::add.Scalar", {a.value(), kOne, Value::of_double(0.5)}), HasSubstr("alpha"));
}

TEST(Arithmetic, the_output_may_have_another_dtype) {
  Tensor a = tensor(DType::kInt32, {2}, {1, 2});
  auto result = call_op("aten::add.Scalar", {a.value(), kOne, kOne}, {.out_dtype = DType::kFloat16});
  ASSERT_TRUE(result.ok());
  EXPECT_THAT(result->tensors[0].values(), ElementsAre(2, 3));
}

TEST(Division, rounds_as_asked) {
  Tensor a = tensor(DType::kInt32, {4}, {7, -7, 7, -7});
  Tensor b = tensor(DType::kInt32, {4}, {2, 2, -2, -2});
  EXPECT_THAT(run("aten::floor_divide", {a.value(), b.value()}).values(), ElementsAre(3, -4, -4, 3));
  EXPECT_THAT(run("aten::div.Tensor_mode", {a.value(), b.value(), Value::of_string("trunc")}).values(),
              ElementsAre(3, -3, -3, 3));
  EXPECT_THAT(run("aten::div.Tensor_mode", {a.value(), b.value()}).values(),
              ElementsAre(3.5, -3.5, -3.5, 3.5));
  EXPECT_THAT(run("aten::remainder.Tensor", {a.value(), b.value()}).values(), ElementsAre(1, 1, -1, -1));
  EXPECT_THAT(run("aten::fmod.Tensor", {a.value(), b.value()}).values(), ElementsAre(1, -1, 1, -1));
  EXPECT_THAT(error_of("aten::div.Tensor_mode", {a.value(), b.value(), Value::of_string("up")}),
              HasSubstr("'up'"));
}

TEST(Division, of_floats_rounds_the_same_and_by_zero_is_infinite) {
  Tensor a = tensor({4}, {7, -7, 5.5, 1});
  Tensor b = tensor({4}, {2, 2, -2, 0});
  EXPECT_THAT(run("aten::floor_divide", {a.value(), b.value()}).values(), ElementsAre(3, -4, -3, kInf));
  const auto rest = run("aten::remainder.Tensor", {a.value(), b.value()}).values();
  EXPECT_THAT(std::vector<double>(rest.begin(), rest.begin() + 3), ElementsAre(1, 1, -0.5));
  EXPECT_TRUE(std::isnan(rest[3]));
}

TEST(Division, of_integers_by_zero_is_an_error_and_the_one_overflow_wraps) {
  Tensor a = tensor(DType::kInt32, {1}, {-2147483648.0});
  Tensor zero = tensor(DType::kInt32, {1}, {0});
  Tensor minus_one = tensor(DType::kInt32, {1}, {-1});
  EXPECT_THAT(error_of("aten::floor_divide", {a.value(), zero.value()}), HasSubstr("division by zero"));
  EXPECT_THAT(run("aten::floor_divide", {a.value(), minus_one.value()}).values(), ElementsAre(-2147483648.0));
  EXPECT_THAT(run("aten::fmod.Tensor", {a.value(), minus_one.value()}).values(), ElementsAre(0));
}

TEST(Power, of_numbers_and_tensors) {
  Tensor x = tensor({3}, {1, 2, 3});
  EXPECT_THAT(run("aten::pow.Tensor_Scalar", {x.value(), Value::of_int(2)}).values(), ElementsAre(1, 4, 9));
  EXPECT_THAT(run("aten::pow.Tensor_Scalar", {x.value(), Value::of_int(3)}).values(), ElementsAre(1, 8, 27));
  EXPECT_THAT(run("aten::pow.Tensor_Scalar", {x.value(), Value::of_double(1.5)}).values(),
              Pointwise(DoubleNear(1e-6), {1.0, std::pow(2, 1.5), std::pow(3, 1.5)}));
  EXPECT_THAT(run("aten::pow.Scalar", {Value::of_int(2), x.value()}).values(), ElementsAre(2, 4, 8));
  EXPECT_THAT(run("aten::pow.Tensor_Tensor", {x.value(), x.value()}).values(), ElementsAre(1, 4, 27));
}

TEST(Power, of_integers_is_exact_and_refuses_negative_exponents) {
  Tensor x = tensor(DType::kInt64, {2}, {3, -2});
  EXPECT_THAT(run("aten::pow.Tensor_Scalar", {x.value(), Value::of_int(31)}).values(),
              ElementsAre(617673396283947.0, -2147483648.0));
  EXPECT_THAT(error_of("aten::pow.Tensor_Scalar", {x.value(), Value::of_int(-1)}), HasSubstr("negative"));
}

TEST(Extremes, nan_wins_on_either_side) {
  Tensor a = tensor({3}, {1, std::nan(""), 3});
  Tensor b = tensor({3}, {std::nan(""), 2, 4});
  const auto y = run("aten::maximum", {a.value(), b.value()}).values();
  EXPECT_TRUE(std::isnan(y[0]) && std::isnan(y[1]));
  EXPECT_EQ(y[2], 4);
  EXPECT_EQ(run("aten::minimum", {a.value(), b.value()}).values()[2], 3);
}

TEST(Atan2, knows_the_quadrant) {
  Tensor y = tensor({2}, {1, -1});
  Tensor x = tensor({2}, {-1, -1});
  EXPECT_THAT(run("aten::atan2", {y.value(), x.value()}).values(),
              Pointwise(DoubleNear(1e-6), {0.75 * M_PI, -0.75 * M_PI}));
}

}  // namespace
}  // namespace etalon::ops
