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
using ::testing::Pointwise;
using testing::tensor;
using testing::Tensor;

constexpr double kInf = std::numeric_limits<double>::infinity();
const double kNan = std::nan("");

Tensor run(std::string_view name, Tensor x, const testing::CallOptions& options = {}) {
  auto result = call_op(name, {x.value()}, options);
  EXPECT_TRUE(result.ok()) << name << ": " << result.error().message();
  return std::move(result->tensors[0]);
}

TEST(ElementwiseUnary, agrees_with_the_c_library_in_every_floating_dtype) {
  const std::vector<std::pair<std::string_view, double (*)(double)>> functions = {
      {"aten::exp", std::exp},     {"aten::expm1", std::expm1}, {"aten::log", std::log},
      {"aten::log10", std::log10}, {"aten::log1p", std::log1p}, {"aten::log2", std::log2},
      {"aten::sin", std::sin},     {"aten::cos", std::cos},     {"aten::tan", std::tan},
      {"aten::asin", std::asin},   {"aten::acos", std::acos},   {"aten::atan", std::atan},
      {"aten::sinh", std::sinh},   {"aten::cosh", std::cosh},   {"aten::asinh", std::asinh},
      {"aten::atanh", std::atanh}, {"aten::erf", std::erf},     {"aten::tanh", std::tanh},
      {"aten::sqrt", std::sqrt}};
  const std::vector<double> x = {0.125, 0.25, 0.5, 0.75, 0.9375};
  const std::vector<std::pair<DType, double>> dtypes = {
      {DType::kFloat32, 1e-6}, {DType::kFloat64, 1e-14}, {DType::kFloat16, 2e-3}, {DType::kBFloat16, 2e-2}};
  for (const auto& [name, function] : functions) {
    std::vector<double> want;
    for (const double v : x) want.push_back(function(v));
    for (const auto& [dtype, error] : dtypes) {
      const Tensor y = run(name, tensor(dtype, {5}, x));
      EXPECT_EQ(y.dtype(), dtype);
      EXPECT_THAT(y.values(), Pointwise(DoubleNear(error), want)) << name << " of " << name_of(dtype);
    }
  }
}

TEST(ElementwiseUnary, integers_become_float_for_real_functions) {
  const Tensor y = run("aten::sqrt", tensor(DType::kInt64, {2}, {4, 9}));
  EXPECT_EQ(y.dtype(), DType::kFloat32);
  EXPECT_THAT(y.values(), ElementsAre(2, 3));
  EXPECT_EQ(run("aten::sigmoid", tensor(DType::kBool, {1}, {0})).values()[0], 0.5);
}

TEST(ElementwiseUnary, integers_stay_integers_for_rounding_and_sign) {
  for (const auto* name : {"aten::round", "aten::floor", "aten::ceil", "aten::trunc", "aten::abs"}) {
    const Tensor y = run(name, tensor(DType::kInt32, {2}, {4, 9}));
    EXPECT_EQ(y.dtype(), DType::kInt32);
    EXPECT_THAT(y.values(), ElementsAre(4, 9)) << name;
  }
  EXPECT_THAT(run("aten::abs", tensor(DType::kInt8, {2}, {-128, -3})).values(), ElementsAre(-128, 3));
  EXPECT_THAT(run("aten::neg", tensor(DType::kUInt8, {2}, {1, 0})).values(), ElementsAre(255, 0));
}

TEST(ElementwiseUnary, rounds_halves_to_even) {
  EXPECT_THAT(run("aten::round", tensor({4}, {0.5, 1.5, -2.5, 3.4})).values(), ElementsAre(0, 2, -2, 3));
  EXPECT_THAT(run("aten::trunc", tensor({2}, {-1.7, 1.7})).values(), ElementsAre(-1, 1));
  EXPECT_THAT(run("aten::floor", tensor({2}, {-1.2, 1.7})).values(), ElementsAre(-2, 1));
  EXPECT_THAT(run("aten::ceil", tensor({2}, {-1.7, 1.2})).values(), ElementsAre(-1, 2));
}

TEST(ElementwiseUnary, nan_passes_through_relu_and_is_found) {
  const std::vector<double> x = {kNan, -1, 2, -kInf};
  EXPECT_TRUE(std::isnan(run("aten::relu", tensor({4}, x)).values()[0]));
  EXPECT_THAT(run("aten::isnan", tensor({4}, x)).values(), ElementsAre(1, 0, 0, 0));
  EXPECT_THAT(run("aten::isinf", tensor(DType::kFloat16, {4}, x)).values(), ElementsAre(0, 0, 0, 1));
  EXPECT_THAT(run("aten::logical_not", tensor({4}, {0, 1, -0.0, kNan})).values(), ElementsAre(1, 0, 1, 0));
}

TEST(ElementwiseUnary, bitwise_not_flips_bits_and_bools) {
  EXPECT_THAT(run("aten::bitwise_not", tensor(DType::kUInt8, {2}, {0, 5})).values(), ElementsAre(255, 250));
  EXPECT_THAT(run("aten::bitwise_not", tensor(DType::kBool, {2}, {0, 1})).values(), ElementsAre(1, 0));
  Tensor real = tensor({1}, {1});
  EXPECT_FALSE(call_op("aten::bitwise_not", {real.value()}).ok());
}

TEST(ElementwiseUnary, logit_limits_its_argument_only_with_an_eps) {
  Tensor x = tensor({3}, {0, 0.5, 1});
  auto limited = call_op("aten::logit", {x.value(), Value::of_double(0.25)});
  ASSERT_TRUE(limited.ok());
  EXPECT_THAT(limited->tensors[0].values(),
              Pointwise(DoubleNear(1e-6), {std::log(1.0 / 3), 0.0, std::log(3.0)}));
  EXPECT_EQ(run("aten::logit", tensor({3}, {0, 0.5, 1})).values()[0], -kInf);
}

TEST(ElementwiseUnary, writes_any_dim_order_and_dtype_and_handles_no_elements) {
  std::vector<double> x;
  for (int i = 0; i < 2 * 3 * 4 * 5; ++i) x.push_back(i - 60);
  std::vector<double> want;
  for (const double v : x) want.push_back(std::max(v, 0.0));
  EXPECT_EQ(run("aten::relu", testing::channels_last({2, 3, 4, 5}, x)).values(), want);
  EXPECT_EQ(run("aten::relu", testing::channels_last({2, 3, 4, 5}, x), {.out_order = DimOrder{0, 1, 2, 3}})
                .values(),
            want);
  EXPECT_THAT(run("aten::exp", tensor({2}, {0, 0}), {.out_dtype = DType::kFloat64}).values(),
              ElementsAre(1, 1));
  EXPECT_TRUE(run("aten::exp", tensor({0, 4}, {})).values().empty());
  EXPECT_THAT(run("aten::exp", tensor({}, {0})).values(), ElementsAre(1));
}

TEST(ElementwiseUnary, keeps_the_dim_order_of_its_argument) {
  EXPECT_EQ(run("aten::tanh", testing::channels_last({1, 2, 2, 1}, {0, 0, 0, 0})).view().order(),
            (DimOrder{0, 2, 3, 1}));
}

}  // namespace
}  // namespace etalon::ops
