#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "ops/op_testing.h"

namespace etalon::ops {
namespace {

using testing::call_op;
using ::testing::Each;
using ::testing::ElementsAre;
using testing::tensor;
using testing::Tensor;

Tensor run(std::string_view name, std::vector<Value> args, const testing::CallOptions& options = {}) {
  auto result = call_op(name, std::move(args), options);
  EXPECT_TRUE(result.ok()) << name << ": " << result.error().message();
  return std::move(result->tensors[0]);
}

const std::int64_t kSizes[] = {2, 2};
const std::int64_t kNegative[] = {2, -2};
const Value kTwoByTwo = Value::of_ints(kSizes);
Value dtype(DType d) { return Value::of_int(static_cast<std::int64_t>(d)); }

TEST(Fill, full_takes_its_dtype_from_the_number) {
  EXPECT_EQ(run("aten::full", {kTwoByTwo, Value::of_bool(true)}).dtype(), DType::kBool);
  EXPECT_EQ(run("aten::full", {kTwoByTwo, Value::of_int(3)}).dtype(), DType::kInt64);
  EXPECT_EQ(run("aten::full", {kTwoByTwo, Value::of_double(3)}).dtype(), DType::kFloat32);
  const Tensor wanted = run("aten::full", {kTwoByTwo, Value::of_double(2.5), dtype(DType::kInt8)});
  EXPECT_EQ(wanted.dtype(), DType::kInt8);
  EXPECT_THAT(wanted.values(), ElementsAre(2, 2, 2, 2));
}

TEST(Fill, zeros_ones_and_copies_of_a_number) {
  EXPECT_THAT(run("aten::zeros", {kTwoByTwo}).values(), Each(0));
  EXPECT_THAT(run("aten::ones", {kTwoByTwo}, {.out_dtype = DType::kBFloat16}).values(), Each(1));
  EXPECT_THAT(run("aten::scalar_tensor", {Value::of_double(1.5)}).values(), ElementsAre(1.5));
  Tensor x = testing::channels_last({1, 2, 2, 2}, std::vector<double>(8, 0));
  EXPECT_THAT(run("aten::full_like", {x.value(), Value::of_int(4)}).values(), Each(4));
  EXPECT_THAT(run("aten::fill.Scalar", {x.value(), Value::of_double(-1)}).values(), Each(-1));
  Tensor value = tensor(DType::kInt64, {}, {7});
  EXPECT_THAT(run("aten::fill.Tensor", {x.value(), value.value()}).values(), Each(7));
  EXPECT_FALSE(call_op("aten::fill.Tensor", {x.value(), x.value()}).ok());
  EXPECT_FALSE(call_op("aten::zeros", {Value::of_ints(kNegative)}).ok());
}

TEST(Arange, counts_up_and_down_in_integers_and_floats) {
  const Tensor up = run("aten::arange", {Value::of_int(4)});
  EXPECT_EQ(up.dtype(), DType::kInt64);
  EXPECT_THAT(up.values(), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(
      run("aten::arange.start_step", {Value::of_int(5), Value::of_int(0), Value::of_int(-2)}).values(),
      ElementsAre(5, 3, 1));
  EXPECT_THAT(run("aten::arange.start_step", {Value::of_int(0), Value::of_double(1.1), Value::of_double(0.5)})
                  .values(),
              ElementsAre(0, 0.5, 1));
  EXPECT_TRUE(run("aten::arange", {Value::of_int(0)}).values().empty());
}

TEST(Arange, refuses_steps_that_lead_nowhere) {
  EXPECT_FALSE(
      call_op("aten::arange.start_step", {Value::of_int(0), Value::of_int(5), Value::of_int(0)}).ok());
  EXPECT_FALSE(
      call_op("aten::arange.start_step", {Value::of_int(0), Value::of_int(5), Value::of_int(-1)}).ok());
  EXPECT_FALSE(call_op("aten::arange", {Value::of_double(std::nan(""))}).ok());
  EXPECT_FALSE(call_op("aten::arange", {Value::of_double(1e30)}).ok());
}

TEST(Random, has_the_right_range_and_moments) {
  const std::int64_t sizes[] = {20000};
  for (const DType d : {DType::kFloat32, DType::kFloat16, DType::kBFloat16}) {
    const auto uniform = run("aten::rand", {Value::of_ints(sizes), dtype(d)}).values();
    EXPECT_GE(*std::min_element(uniform.begin(), uniform.end()), 0.0);
    EXPECT_LT(*std::max_element(uniform.begin(), uniform.end()), 1.0);
    EXPECT_NEAR(std::accumulate(uniform.begin(), uniform.end(), 0.0) / 20000, 0.5, 0.02);
  }
  const auto normal = run("aten::randn", {Value::of_ints(sizes)}).values();
  EXPECT_NEAR(std::accumulate(normal.begin(), normal.end(), 0.0) / 20000, 0.0, 0.05);
  EXPECT_NEAR(std::inner_product(normal.begin(), normal.end(), normal.begin(), 0.0) / 20000, 1.0, 0.05);
  EXPECT_NE(run("aten::randn", {Value::of_ints(sizes)}).values(), normal);
}

TEST(Dropout, drops_and_scales_in_training_and_copies_otherwise) {
  Tensor x = tensor({10000}, std::vector<double>(10000, 3));
  auto trained = call_op("aten::native_dropout", {x.value(), Value::of_double(0.25), Value::of_bool(true)});
  ASSERT_TRUE(trained.ok());
  const auto y = trained->tensors[0].values();
  const auto mask = trained->tensors[1].values();
  EXPECT_NEAR(std::accumulate(mask.begin(), mask.end(), 0.0), 7500, 300);
  for (std::size_t i = 0; i < y.size(); ++i) EXPECT_EQ(y[i], mask[i] * 4);
  auto evaluated =
      call_op("aten::native_dropout", {x.value(), Value::of_double(0.25), Value::of_bool(false)});
  ASSERT_TRUE(evaluated.ok());
  EXPECT_THAT(evaluated->tensors[0].values(), Each(3));
  EXPECT_FALSE(call_op("aten::native_dropout", {x.value(), Value::of_double(2), Value::of_bool(true)}).ok());
}

}  // namespace
}  // namespace etalon::ops
