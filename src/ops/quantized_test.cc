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

std::vector<Tensor> run(std::string_view name, std::vector<Value> args) {
  auto result = call_op(std::string("quantized_decomposed::") + std::string(name), std::move(args));
  EXPECT_TRUE(result.ok()) << name << ": " << result.error().message();
  return std::move(result->tensors);
}
bool refuses(std::string_view name, std::vector<Value> args) {
  return !call_op(std::string("quantized_decomposed::") + std::string(name), std::move(args)).ok();
}
Value i(std::int64_t v) { return Value::of_int(v); }
Value d(double v) { return Value::of_double(v); }
Value dtype(DType t) { return i(static_cast<std::int64_t>(t)); }
const Value kInt8 = dtype(DType::kInt8);

TEST(Quantize, per_tensor_rounds_to_even_and_limits) {
  Tensor x =
      tensor({7}, {0.25, 0.75, -0.25, 100, -100, std::nan(""), std::numeric_limits<double>::infinity()});
  const auto y = run("quantize_per_tensor", {x.value(), d(0.5), i(3), i(-128), i(127), kInt8});
  EXPECT_EQ(y[0].dtype(), DType::kInt8);
  EXPECT_THAT(y[0].values(), ElementsAre(3, 5, 3, 127, -128, -128, 127));
  EXPECT_TRUE(refuses("quantize_per_tensor", {x.value(), d(0.5), i(3), i(10), i(-10), kInt8}));
  EXPECT_TRUE(refuses("quantize_per_tensor", {x.value(), d(0.5), i(3), i(0), i(1), dtype(DType::kFloat32)}));
}

TEST(Quantize, per_tensor_takes_its_parameters_from_tensors) {
  Tensor x = tensor({2}, {1, -1});
  Tensor scale = tensor(DType::kFloat64, {1}, {0.25});
  Tensor zero = tensor(DType::kInt64, {1}, {128});
  const auto q = run("quantize_per_tensor.tensor",
                     {x.value(), scale.value(), zero.value(), i(0), i(255), dtype(DType::kUInt8)});
  EXPECT_THAT(q[0].values(), ElementsAre(132, 124));
  Tensor back = tensor(DType::kUInt8, {2}, {132, 124});
  const auto y = run("dequantize_per_tensor.tensor",
                     {back.value(), scale.value(), zero.value(), i(0), i(255), dtype(DType::kUInt8)});
  EXPECT_THAT(y[0].values(), ElementsAre(1, -1));
  EXPECT_TRUE(refuses("quantize_per_tensor.tensor",
                      {x.value(), x.value(), zero.value(), i(0), i(255), dtype(DType::kUInt8)}));
}

TEST(Quantize, per_channel_works_along_any_dim) {
  Tensor x = tensor({2, 2}, {1, 2, 3, 4});
  Tensor scales = tensor({2}, {0.5, 2});
  Tensor zeros = tensor(DType::kInt64, {2}, {0, 10});
  EXPECT_THAT(
      run("quantize_per_channel", {x.value(), scales.value(), zeros.value(), i(0), i(-128), i(127), kInt8})[0]
          .values(),
      ElementsAre(2, 4, 12, 12));
  EXPECT_THAT(run("quantize_per_channel",
                  {x.value(), scales.value(), zeros.value(), i(-1), i(-128), i(127), kInt8})[0]
                  .values(),
              ElementsAre(2, 11, 6, 12));
  Tensor q = tensor(DType::kInt8, {2, 2}, {2, 4, 12, 12});
  EXPECT_THAT(run("dequantize_per_channel",
                  {q.value(), scales.value(), zeros.value(), i(0), i(-128), i(127), kInt8})[0]
                  .values(),
              ElementsAre(1, 2, 4, 4));
  EXPECT_THAT(
      run("dequantize_per_channel", {q.value(), scales.value(), Value(), i(0), i(-128), i(127), kInt8})[0]
          .values(),
      ElementsAre(1, 2, 24, 24));
  Tensor three = tensor({3}, {1, 1, 1});
  EXPECT_TRUE(refuses("quantize_per_channel",
                      {x.value(), three.value(), zeros.value(), i(0), i(-128), i(127), kInt8}));
  EXPECT_TRUE(refuses("quantize_per_channel",
                      {x.value(), scales.value(), zeros.value(), i(2), i(-128), i(127), kInt8}));
}

TEST(Quantize, per_token_uses_one_scale_per_row) {
  Tensor x = tensor({2, 1, 2}, {1, 2, 3, 4});
  Tensor scales = tensor(DType::kFloat64, {2, 1, 1}, {0.5, 2});
  Tensor zeros = tensor(DType::kInt64, {2, 1, 1}, {0, 1});
  // 3 / 2 + 1 = 2.5 is rounded after the sum.
  const auto q =
      run("quantize_per_token", {x.value(), scales.value(), zeros.value(), i(-128), i(127), kInt8});
  EXPECT_THAT(q[0].values(), ElementsAre(2, 4, 2, 3));
  Tensor back = tensor(DType::kInt8, {2, 1, 2}, {2, 4, 2, 3});
  const auto y = run("dequantize_per_token", {back.value(), scales.value(), zeros.value(), i(-128), i(127),
                                              kInt8, dtype(DType::kFloat32)});
  EXPECT_EQ(y[0].dtype(), DType::kFloat32);
  EXPECT_THAT(y[0].values(), ElementsAre(1, 2, 2, 4));
}

TEST(ChooseQparams, covers_the_range_and_zero) {
  Tensor x = tensor({3}, {1, 2, 25.5});
  const auto y = run("choose_qparams.tensor", {x.value(), i(0), i(255), d(1e-6), dtype(DType::kUInt8)});
  EXPECT_EQ(y[0].dtype(), DType::kFloat64);
  EXPECT_EQ(y[1].dtype(), DType::kInt64);
  EXPECT_THAT(y[0].values(), Pointwise(DoubleNear(1e-7), {0.1}));
  EXPECT_THAT(y[1].values(), ElementsAre(0));
  Tensor negative = tensor({2}, {-1, 1.55});
  EXPECT_THAT(run("choose_qparams.tensor", {negative.value(), i(0), i(255), d(1e-6), dtype(DType::kUInt8)})[1]
                  .values(),
              ElementsAre(100));
}

TEST(ChooseQparams, per_token_keeps_the_better_end) {
  Tensor x = tensor({2, 2}, {0, 25.5, -12.8, 12.7});
  const auto y = run("choose_qparams_per_token_asymmetric", {x.value(), kInt8});
  EXPECT_EQ(y[0].sizes(), (Dims{2, 1}));
  EXPECT_THAT(y[0].values(), Pointwise(DoubleNear(1e-7), {0.1, 0.1}));
  EXPECT_THAT(y[1].values(), ElementsAre(-128, 0));
}

TEST(QuantizedAdd, adds_real_values) {
  Tensor a = tensor(DType::kInt8, {2}, {10, 20});
  Tensor b = tensor(DType::kInt8, {2}, {4, 8});
  const auto y = run("add", {a.value(), d(0.5), i(0), i(-128), i(127), b.value(), d(0.25), i(4), i(-128),
                             i(127), d(0.1), i(1), i(-128), i(127)});
  EXPECT_THAT(y[0].values(), ElementsAre(51, 111));
}

}  // namespace
}  // namespace etalon::ops
