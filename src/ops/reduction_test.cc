#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "ops/op_testing.h"

namespace etalon::ops::testing {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pointwise;
using Ints = std::vector<std::int64_t>;
using Numbers = std::vector<double>;

const double kNaN = std::nan("");

TEST(Sum, an_empty_dim_list_and_none_mean_all_dims) {
  Tensor x = tensor({2, 3}, {1, 2, 3, 4, 5, 6});
  const Ints none;
  for (const Value dims : {Value::of_ints(none), Value()}) {
    auto kept = call_op("aten::sum.dim_IntList", {x.value(), dims, Value::of_bool(true)});
    ASSERT_TRUE(kept.ok()) << kept.error().message();
    EXPECT_EQ(kept->tensors[0].sizes(), (Dims{1, 1}));
    EXPECT_THAT(kept->tensors[0].values(), ElementsAre(21));
  }
}

TEST(Sum, works_along_rows_columns_and_in_channels_last) {
  Tensor x = tensor({2, 3}, {1, 2, 3, 4, 5, 6});
  const Ints first{0}, last{-1}, spatial{2, 3};
  EXPECT_THAT(call_op("aten::sum.dim_IntList", {x.value(), Value::of_ints(first)})->tensors[0].values(),
              ElementsAre(5, 7, 9));
  EXPECT_THAT(call_op("aten::sum.dim_IntList", {x.value(), Value::of_ints(last)})->tensors[0].values(),
              ElementsAre(6, 15));
  Tensor image = channels_last({1, 2, 2, 2}, {1, 2, 3, 4, 10, 20, 30, 40});
  EXPECT_THAT(call_op("aten::mean.dim", {image.value(), Value::of_ints(spatial)})->tensors[0].values(),
              ElementsAre(2.5, 25));
}

TEST(Sum, of_integers_is_int64_and_a_dtype_converts_before_adding) {
  Tensor bytes = tensor(DType::kUInt8, {3}, {200, 200, 200});
  auto sum = call_op("aten::sum", {bytes.value()});
  EXPECT_EQ(sum->tensors[0].dtype(), DType::kInt64);
  EXPECT_THAT(sum->tensors[0].values(), ElementsAre(600));
  Tensor halves = tensor({3}, {0.6, 0.6, 1.9});
  auto truncated = call_op("aten::sum", {halves.value(), Value::of_int(static_cast<int>(DType::kInt64))});
  EXPECT_THAT(truncated->tensors[0].values(), ElementsAre(1));
}

TEST(Sum, of_a_million_floats_does_not_drift) {
  Tensor x = tensor({1000, 1000}, Numbers(1000000, 0.1));
  const double expected = 1e6 * static_cast<double>(0.1f);
  EXPECT_NEAR(call_op("aten::sum", {x.value()})->tensors[0].values()[0], expected, 0.01);
}

TEST(Sum, refuses_dims_out_of_range_or_repeated) {
  Tensor x = tensor({2, 3}, {1, 2, 3, 4, 5, 6});
  const Ints far{2}, twice{1, -1};
  auto out_of_range = call_op("aten::sum.dim_IntList", {x.value(), Value::of_ints(far)});
  ASSERT_FALSE(out_of_range.ok());
  EXPECT_THAT(out_of_range.error().message(), HasSubstr("dim 2 is out of range"));
  auto repeated = call_op("aten::sum.dim_IntList", {x.value(), Value::of_ints(twice)});
  ASSERT_FALSE(repeated.ok());
  EXPECT_THAT(repeated.error().message(), HasSubstr("more than once"));
}

TEST(Mean, of_integers_wants_a_dtype_and_of_nothing_is_nan) {
  Tensor ints = tensor(DType::kInt32, {2}, {1, 2});
  EXPECT_FALSE(call_op("aten::mean", {ints.value()}).ok());
  auto mean = call_op("aten::mean", {ints.value(), Value::of_int(static_cast<int>(DType::kFloat32))});
  EXPECT_THAT(mean->tensors[0].values(), ElementsAre(1.5));
  Tensor empty = tensor({0}, {});
  EXPECT_TRUE(std::isnan(call_op("aten::mean", {empty.value()})->tensors[0].values()[0]));
}

TEST(Extremum, nan_wins_and_an_empty_dim_is_refused) {
  Tensor x = tensor({2, 3}, {1, kNaN, 3, -4, -5, -6});
  const Ints last{1};
  auto max = call_op("aten::amax", {x.value(), Value::of_ints(last)});
  EXPECT_TRUE(std::isnan(max->tensors[0].values()[0]));
  EXPECT_EQ(max->tensors[0].values()[1], -4);
  EXPECT_EQ(call_op("aten::amin", {x.value(), Value::of_ints(last)})->tensors[0].values()[1], -6);
  Tensor empty = tensor({2, 0}, {});
  EXPECT_FALSE(call_op("aten::amax", {empty.value(), Value::of_ints(last)}).ok());
  EXPECT_FALSE(call_op("aten::max", {empty.value()}).ok());
}

TEST(Argmax, takes_the_first_of_equals_and_the_first_nan) {
  Tensor ties = tensor({4}, {1, 3, 3, 2});
  EXPECT_THAT(call_op("aten::argmax", {ties.value()})->tensors[0].values(), ElementsAre(1));
  Tensor nans = tensor({4}, {9, kNaN, 3, kNaN});
  EXPECT_THAT(call_op("aten::argmin", {nans.value()})->tensors[0].values(), ElementsAre(1));
  Tensor image = channels_last({1, 2, 1, 2}, {1, 2, 9, 4});
  EXPECT_THAT(call_op("aten::argmax", {image.value()})->tensors[0].values(), ElementsAre(2));
}

TEST(MaxDim, returns_values_and_indices) {
  Tensor x = tensor({2, 3}, {1, 5, 3, 6, 5, 4});
  auto max = call_op("aten::max.dim", {x.value(), Value::of_int(-1), Value::of_bool(true)});
  ASSERT_TRUE(max.ok()) << max.error().message();
  EXPECT_EQ(max->tensors[1].sizes(), (Dims{2, 1}));
  EXPECT_THAT(max->tensors[0].values(), ElementsAre(5, 6));
  EXPECT_THAT(max->tensors[1].values(), ElementsAre(1, 0));
}

TEST(Any, of_an_empty_dim_list_keeps_the_shape) {
  Tensor x = tensor({2, 2}, {0, 2, 0, 0});
  const Ints none;
  EXPECT_THAT(call_op("aten::any.dims", {x.value(), Value::of_ints(none)})->tensors[0].values(), ElementsAre(0, 1, 0, 0));
  EXPECT_THAT(call_op("aten::any.dim", {x.value(), Value::of_int(0)})->tensors[0].values(), ElementsAre(0, 1));
  EXPECT_THAT(call_op("aten::any", {x.value()})->tensors[0].values(), ElementsAre(1));
}

TEST(Prod, multiplies_along_a_dim_and_over_all) {
  Tensor x = tensor(DType::kInt32, {2, 2}, {1, 2, 3, 4});
  auto product = call_op("aten::prod.dim_int", {x.value(), Value::of_int(0)});
  EXPECT_EQ(product->tensors[0].dtype(), DType::kInt64);
  EXPECT_THAT(product->tensors[0].values(), ElementsAre(3, 8));
  EXPECT_THAT(call_op("aten::prod", {x.value()})->tensors[0].values(), ElementsAre(24));
}

TEST(Var, applies_the_correction_and_keeps_precision_far_from_zero) {
  Tensor x = tensor({1, 4}, {10001, 10002, 10003, 10004});
  const Ints last{1};
  auto both = call_op("aten::var_mean.correction", {x.value(), Value::of_ints(last)});
  EXPECT_NEAR(both->tensors[0].values()[0], 5.0 / 3.0, 1e-6);
  EXPECT_EQ(both->tensors[1].values()[0], 10002.5);
  auto population = call_op("aten::var.correction", {x.value(), Value::of_ints(last), Value::of_int(0)});
  EXPECT_NEAR(population->tensors[0].values()[0], 1.25, 1e-6);
  auto unbiased = call_op("aten::var.dim", {x.value(), Value::of_ints(last), Value::of_bool(true)});
  EXPECT_NEAR(unbiased->tensors[0].values()[0], 5.0 / 3.0, 1e-6);
}

TEST(Cumsum, runs_along_either_dim) {
  Tensor x = tensor({2, 3}, {1, 2, 3, 4, 5, 6});
  EXPECT_THAT(call_op("aten::cumsum", {x.value(), Value::of_int(1)})->tensors[0].values(), ElementsAre(1, 3, 6, 4, 9, 15));
  EXPECT_THAT(call_op("aten::cumsum", {x.value(), Value::of_int(0)})->tensors[0].values(), ElementsAre(1, 2, 3, 5, 7, 9));
}

TEST(Topk, sorts_best_first_with_nan_on_top) {
  Tensor x = tensor({5}, {1, kNaN, 3, 3, 2});
  auto largest = call_op("aten::topk", {x.value(), Value::of_int(4), Value::of_int(-1), Value::of_bool(true)});
  EXPECT_THAT(largest->tensors[1].values(), ElementsAre(1, 2, 3, 4));
  auto smallest = call_op("aten::topk", {x.value(), Value::of_int(2), Value::of_int(0), Value::of_bool(false)});
  EXPECT_THAT(smallest->tensors[0].values(), ElementsAre(1, 2));
  EXPECT_FALSE(call_op("aten::topk", {x.value(), Value::of_int(6)}).ok());
}

}  // namespace
}  // namespace etalon::ops::testing
