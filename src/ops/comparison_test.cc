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

std::vector<double> run(std::string_view name, std::vector<Value> args,
                        const testing::CallOptions& options = {}) {
  auto result = call_op(name, std::move(args), options);
  EXPECT_TRUE(result.ok()) << name << ": " << result.error().message();
  return result->tensors[0].values();
}

TEST(Comparison, of_tensors_and_numbers) {
  Tensor a = tensor({3}, {1, 2, 3});
  Tensor b = tensor(DType::kInt64, {}, {2});
  EXPECT_THAT(run("aten::eq.Tensor", {a.value(), b.value()}), ElementsAre(0, 1, 0));
  EXPECT_THAT(run("aten::ne.Scalar", {a.value(), Value::of_int(2)}), ElementsAre(1, 0, 1));
  EXPECT_THAT(run("aten::lt.Scalar", {a.value(), Value::of_double(2.5)}), ElementsAre(1, 1, 0));
  EXPECT_THAT(run("aten::le.Tensor", {a.value(), b.value()}), ElementsAre(1, 1, 0));
  EXPECT_THAT(run("aten::gt.Tensor", {a.value(), b.value()}), ElementsAre(0, 0, 1));
  EXPECT_THAT(run("aten::ge.Scalar", {a.value(), Value::of_int(2)}), ElementsAre(0, 1, 1));
}

TEST(Comparison, nan_equals_nothing) {
  Tensor a = tensor({1}, {std::nan("")});
  EXPECT_THAT(run("aten::eq.Tensor", {a.value(), a.value()}), ElementsAre(0));
  EXPECT_THAT(run("aten::ne.Tensor", {a.value(), a.value()}), ElementsAre(1));
}

TEST(Comparison, a_number_is_rounded_to_the_dtype_it_is_compared_in) {
  Tensor half = tensor(DType::kFloat16, {1}, {0.1});
  Tensor brain = tensor(DType::kBFloat16, {1}, {0.1});
  EXPECT_THAT(run("aten::eq.Scalar", {half.value(), Value::of_double(0.1)}), ElementsAre(1));
  EXPECT_THAT(run("aten::eq.Scalar", {brain.value(), Value::of_double(0.1)}), ElementsAre(1));
}

TEST(Comparison, answers_in_the_dtype_of_the_output) {
  Tensor a = tensor(DType::kUInt8, {2}, {1, 200});
  EXPECT_THAT(run("aten::gt.Scalar", {a.value(), Value::of_int(-1)}, {.out_dtype = DType::kFloat32}),
              ElementsAre(1, 1));
}

TEST(Logical, takes_any_dtype_and_answers_bool) {
  Tensor a = tensor({4}, {0, 0, 0.5, -2});
  Tensor b = tensor(DType::kInt32, {4}, {0, 7, 0, 7});
  EXPECT_THAT(run("aten::logical_and", {a.value(), b.value()}), ElementsAre(0, 0, 0, 1));
  EXPECT_THAT(run("aten::logical_or", {a.value(), b.value()}), ElementsAre(0, 1, 1, 1));
  EXPECT_THAT(run("aten::logical_xor", {a.value(), b.value()}), ElementsAre(0, 1, 1, 0));
}

TEST(Bitwise, combines_bits_and_bools) {
  Tensor a = tensor(DType::kInt16, {2}, {12, -1});
  EXPECT_THAT(run("aten::bitwise_and.Scalar", {a.value(), Value::of_int(10)}), ElementsAre(8, 10));
  EXPECT_THAT(run("aten::bitwise_or.Scalar", {a.value(), Value::of_int(3)}), ElementsAre(15, -1));
  EXPECT_THAT(run("aten::bitwise_xor.Tensor", {a.value(), a.value()}), ElementsAre(0, 0));
  Tensor t = tensor(DType::kBool, {2}, {0, 1});
  EXPECT_THAT(run("aten::bitwise_and.Tensor", {t.value(), t.value()}), ElementsAre(0, 1));
  Tensor real = tensor({1}, {1});
  EXPECT_FALSE(call_op("aten::bitwise_or.Tensor", {real.value(), a.value()}).ok());
}

TEST(Bitwise, shifts_beyond_the_width_lose_everything_but_the_sign) {
  Tensor a = tensor(DType::kInt32, {3}, {1, -8, 5});
  Tensor by = tensor(DType::kInt32, {3}, {3, 40, -1});
  EXPECT_THAT(run("aten::bitwise_left_shift.Tensor", {a.value(), by.value()}), ElementsAre(8, 0, 0));
  EXPECT_THAT(run("aten::bitwise_right_shift.Tensor", {a.value(), by.value()}), ElementsAre(0, -1, 0));
  Tensor bytes = tensor(DType::kUInt8, {1}, {200});
  EXPECT_THAT(run("aten::bitwise_left_shift.Tensor_Scalar", {bytes.value(), Value::of_int(1)}),
              ElementsAre(144));
}

TEST(Clamp, takes_either_limit_or_both_and_keeps_nan) {
  Tensor x = tensor({3}, {-2, 0.5, 9});
  EXPECT_THAT(run("aten::clamp", {x.value(), Value::of_int(0), Value::of_int(6)}), ElementsAre(0, 0.5, 6));
  EXPECT_THAT(run("aten::clamp", {x.value(), Value::of_double(0.75)}), ElementsAre(0.75, 0.75, 9));
  EXPECT_THAT(run("aten::clamp", {x.value(), Value(), Value::of_int(1)}), ElementsAre(-2, 0.5, 1));
  EXPECT_FALSE(call_op("aten::clamp", {x.value()}).ok());
  Tensor bad = tensor({1}, {std::nan("")});
  EXPECT_TRUE(std::isnan(run("aten::clamp", {bad.value(), Value::of_int(0), Value::of_int(1)})[0]));
}

TEST(Clamp, broadcasts_tensor_limits_and_promotes) {
  Tensor x = tensor(DType::kInt32, {2, 2}, {1, 2, 3, 4});
  Tensor low = tensor({2}, {1.5, 2.5});
  EXPECT_THAT(run("aten::clamp.Tensor", {x.value(), low.value()}), ElementsAre(1.5, 2.5, 3, 4));
}

TEST(Where, chooses_and_promotes) {
  Tensor condition = tensor(DType::kBool, {2, 1}, {1, 0});
  Tensor a = tensor(DType::kInt32, {2}, {1, 2});
  Tensor b = tensor({}, {0.5});
  EXPECT_THAT(run("aten::where.self", {condition.value(), a.value(), b.value()}),
              ElementsAre(1, 2, 0.5, 0.5));
  EXPECT_FALSE(call_op("aten::where.self", {a.value(), a.value(), b.value()}).ok());
}

TEST(Where, any_byte_but_zero_is_true) {
  Tensor condition = tensor(DType::kBool, {3}, {0, 1, 1});
  condition.view().data_as<std::uint8_t>()[2] = 4;
  Tensor a = tensor({3}, {1, 2, 3});
  Tensor b = tensor({3}, {-1, -2, -3});
  EXPECT_THAT(run("aten::where.self", {condition.value(), a.value(), b.value()}), ElementsAre(-1, 2, 3));
  EXPECT_THAT(run("aten::logical_not", {condition.value()}), ElementsAre(1, 0, 0));
}

TEST(Clamp, a_nan_limit_gives_nan) {
  Tensor x = tensor({1}, {0.5});
  EXPECT_TRUE(
      std::isnan(run("aten::clamp", {x.value(), Value::of_double(std::nan("")), Value::of_int(1)})[0]));
  EXPECT_TRUE(std::isnan(run("aten::clamp", {x.value(), Value(), Value::of_double(std::nan(""))})[0]));
}

TEST(MaskedFill, broadcasts_the_mask_and_keeps_the_dtype) {
  Tensor x = tensor(DType::kFloat16, {2, 2}, {1, 2, 3, 4});
  Tensor mask = tensor(DType::kBool, {2}, {0, 1});
  EXPECT_THAT(run("aten::masked_fill.Scalar", {x.value(), mask.value(), Value::of_double(-INFINITY)}),
              ElementsAre(1, -INFINITY, 3, -INFINITY));
}

}  // namespace
}  // namespace etalon::ops
