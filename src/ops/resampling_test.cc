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

const Ints kThree{3, 3};
const Numbers kScale{1.7, 1.7};

TEST(Upsample, bilinear_takes_a_size_or_scale_factors) {
  for (const DimOrder& order : {DimOrder{0, 1, 2, 3}, DimOrder{0, 2, 3, 1}}) {
    Tensor x(DType::kFloat32, {1, 1, 2, 2}, order);
    x.set_values({1, 2, 3, 4});
    for (const bool align : {false, true}) {
      auto out = call_op("aten::upsample_bilinear2d.vec", {x.value(), Value::of_ints(kThree), Value::of_bool(align)});
      EXPECT_THAT(out->tensors[0].values(), ElementsAre(1, 1.5, 2, 2, 2.5, 3, 3, 3.5, 4));
    }
    auto scaled = call_op("aten::upsample_bilinear2d.vec",
                          {x.value(), Value(), Value::of_bool(false), Value::of_doubles(kScale)});
    EXPECT_THAT(scaled->tensors[0].values(), Pointwise(DoubleNear(1e-5), Numbers{1, 1.38235, 1.97059, 1.76471, 2.14706,
                                                                                 2.73529, 2.94118, 3.32353, 3.91176}));
  }
}

TEST(Upsample, wants_exactly_one_of_size_and_factors) {
  Tensor x = tensor({1, 1, 2, 2}, {1, 2, 3, 4});
  EXPECT_FALSE(call_op("aten::upsample_nearest2d.vec", {x.value()}).ok());
  EXPECT_FALSE(
      call_op("aten::upsample_nearest2d.vec", {x.value(), Value::of_ints(kThree), Value::of_doubles(kScale)}).ok());
}

TEST(Upsample, nearest_repeats_pixels_of_any_dtype) {
  for (const DType dtype : {DType::kFloat32, DType::kUInt8, DType::kFloat64}) {
    Tensor x = tensor(dtype, {1, 1, 2, 2}, {1, 2, 3, 4});
    EXPECT_THAT(call_op("aten::upsample_nearest2d.vec", {x.value(), Value::of_ints(kThree)})->tensors[0].values(),
                ElementsAre(1, 1, 2, 1, 1, 2, 3, 3, 4));
  }
}

TEST(UpsampleAa, widens_the_filter_when_shrinking) {
  Tensor x = tensor({1, 1, 4, 4}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16});
  const Ints two{2, 2};
  auto out = call_op("aten::_upsample_bilinear2d_aa", {x.value(), Value::of_ints(two), Value::of_bool(false)});
  ASSERT_TRUE(out.ok()) << out.error().message();
  EXPECT_THAT(out->tensors[0].values(), Pointwise(DoubleNear(1e-4), Numbers{4.57143, 6.14286, 10.85714, 12.42857}));
}

TEST(GridSampler2d, has_three_interpolations_and_three_paddings) {
  Tensor x = tensor({1, 1, 2, 2}, {1, 2, 3, 4}), grid = tensor({1, 1, 4, 2}, {-1, -1, 0, 0, 1, 1, 2, 0});
  const auto run = [&](std::int64_t mode, std::int64_t padding) {
    auto out = call_op("aten::grid_sampler_2d", {x.value(), grid.value(), Value::of_int(mode), Value::of_int(padding),
                                                 Value::of_bool(false)});
    return out.ok() ? out->tensors[0].values() : Numbers{};
  };
  EXPECT_THAT(run(0, 0), Pointwise(DoubleNear(1e-5), Numbers{0.25, 2.5, 1, 0}));
  EXPECT_THAT(run(1, 0), Pointwise(DoubleNear(1e-5), Numbers{1, 1, 0, 0}));
  EXPECT_THAT(run(2, 0), Pointwise(DoubleNear(1e-4), Numbers{0.10938, 3.52539, 1.14062, -0.33398}));
  EXPECT_THAT(run(0, 1), Pointwise(DoubleNear(1e-5), Numbers{1, 2.5, 4, 3}));
  EXPECT_THAT(run(0, 2), Pointwise(DoubleNear(1e-5), Numbers{1, 2.5, 4, 2.5}));
  EXPECT_THAT(run(3, 0), ElementsAre());
}

TEST(GridSampler2d, a_nan_in_the_grid_never_becomes_an_index) {
  Tensor x = tensor({1, 1, 2, 2}, {1, 2, 3, 4});
  Tensor grid = tensor({1, 1, 2, 2}, {std::nan(""), 0, 1e30, -1e30});
  for (std::int64_t mode = 0; mode < 3; ++mode) {
    for (std::int64_t padding = 0; padding < 3; ++padding) {
      EXPECT_TRUE(call_op("aten::grid_sampler_2d", {x.value(), grid.value(), Value::of_int(mode), Value::of_int(padding),
                                                    Value::of_bool(false)}).ok());
    }
  }
}

TEST(Distances, between_two_sets_and_within_one) {
  Tensor a = tensor({2, 2}, {0, 0, 1, 1}), b = tensor({2, 2}, {3, 4, 1, 1});
  auto cross = call_op("aten::_cdist_forward", {a.value(), b.value(), Value::of_double(2), Value()});
  ASSERT_TRUE(cross.ok()) << cross.error().message();
  EXPECT_THAT(cross->tensors[0].values(), Pointwise(DoubleNear(1e-5), Numbers{5, 1.41421, 3.60555, 0}));
  Tensor rows = tensor({3, 2}, {0, 0, 3, 4, 1, 0});
  EXPECT_THAT(call_op("aten::_pdist_forward", {rows.value(), Value::of_double(1)})->tensors[0].values(),
              ElementsAre(7, 1, 6));
  EXPECT_FALSE(call_op("aten::_cdist_forward", {a.value(), b.value(), Value::of_double(-1), Value()}).ok());
}

}  // namespace
}  // namespace etalon::ops::testing
