#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "ops/op_testing.h"

namespace etalon::ops {
namespace {

using testing::call_op;
using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::Pointwise;
using testing::tensor;
using testing::Tensor;

std::vector<double> run(std::string_view name, std::vector<Value> args) {
  auto result = call_op(name, std::move(args));
  EXPECT_TRUE(result.ok()) << name << ": " << result.error().message();
  return result->tensors[0].values();
}

TEST(Activations, gelu_in_both_forms) {
  Tensor x = tensor({4}, {-3, -0.5, 0, 2});
  std::vector<double> exact;
  std::vector<double> approximate;
  for (const double v : x.values()) {
    exact.push_back(0.5 * v * (1 + std::erf(v / std::sqrt(2.0))));
    approximate.push_back(0.5 * v * (1 + std::tanh(std::sqrt(2 / M_PI) * (v + 0.044715 * v * v * v))));
  }
  EXPECT_THAT(run("aten::gelu", {x.value(), Value::of_string("none")}), Pointwise(DoubleNear(1e-6), exact));
  EXPECT_THAT(run("aten::gelu", {x.value(), Value::of_string("tanh")}),
              Pointwise(DoubleNear(1e-6), approximate));
  EXPECT_FALSE(call_op("aten::gelu", {x.value(), Value::of_string("fast")}).ok());
}

TEST(Activations, elu_scales_its_input_below_zero) {
  Tensor x = tensor({3}, {-1, 0, 2});
  EXPECT_THAT(run("aten::elu", {x.value(), Value::of_double(2), Value::of_double(3), Value::of_double(0.5)}),
              Pointwise(DoubleNear(1e-6), {6 * std::expm1(-0.5), 0.0, 6.0}));
}

TEST(Activations, hardtanh_limits_floats_and_integers_and_keeps_nan) {
  Tensor x = tensor({4}, {-2, 3, 7, std::nan("")});
  const auto y = run("aten::hardtanh", {x.value(), Value::of_int(0), Value::of_int(6)});
  EXPECT_THAT(std::vector<double>(y.begin(), y.begin() + 3), ElementsAre(0, 3, 6));
  EXPECT_TRUE(std::isnan(y[3]));
  Tensor n = tensor(DType::kInt8, {3}, {-2, 3, 7});
  EXPECT_THAT(run("aten::hardtanh", {n.value(), Value::of_int(0), Value::of_int(6)}), ElementsAre(0, 3, 6));
}

TEST(Activations, leaky_relu_keeps_a_slope) {
  Tensor x = tensor(DType::kFloat16, {2}, {-2, 3});
  EXPECT_THAT(run("aten::leaky_relu", {x.value(), Value::of_double(0.25)}), ElementsAre(-0.5, 3));
  Tensor n = tensor(DType::kInt8, {1}, {1});
  EXPECT_FALSE(call_op("aten::leaky_relu", {n.value(), Value::of_double(0.25)}).ok());
}

TEST(Activations, glu_gates_one_half_with_the_other) {
  Tensor x = tensor({2, 4}, {1, 2, 0, 0, 3, 4, 0, 100});
  EXPECT_THAT(run("aten::glu", {x.value(), Value::of_int(-1)}), ElementsAre(0.5, 1, 1.5, 4));
  Tensor y = tensor({2, 3}, {2, 4, 6, 0, 0, 0});
  EXPECT_THAT(run("aten::glu", {y.value(), Value::of_int(0)}), ElementsAre(1, 2, 3));
  EXPECT_FALSE(call_op("aten::glu", {y.value(), Value::of_int(1)}).ok());
  EXPECT_FALSE(call_op("aten::glu", {y.value(), Value::of_int(2)}).ok());
}

}  // namespace
}  // namespace etalon::ops
