#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ops/op_testing.h"

namespace etalon::ops::testing {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pointwise;
using Ints = std::vector<std::int64_t>;
using Numbers = std::vector<double>;

const Ints kZero{0, 0}, kOne{1, 1}, kTwo{2, 2};

struct Arguments {
  const Ints& stride = kOne;
  const Ints& padding = kZero;
  const Ints& dilation = kOne;
  bool transposed = false;
  const Ints& output_padding = kZero;
  std::int64_t groups = 1;
};

Result<CallResult> convolve(Tensor& input, Tensor& weight, Tensor* bias, const Arguments& a,
                            const CallOptions& options = {}) {
  return call_op("aten::convolution",
                 {input.value(), weight.value(), bias ? bias->value() : Value(), Value::of_ints(a.stride),
                  Value::of_ints(a.padding), Value::of_ints(a.dilation), Value::of_bool(a.transposed),
                  Value::of_ints(a.output_padding), Value::of_int(a.groups)},
                 options);
}

const Numbers kImage{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
const Numbers kKernel{1, 0, -1, 2, 1, 0, 0, 1, 3};

TEST(Convolution, pads_strides_and_adds_the_bias) {
  for (const DType dtype : {DType::kFloat32, DType::kFloat64, DType::kFloat16}) {
    Tensor input = tensor(dtype, {1, 1, 4, 4}, kImage), weight = tensor(dtype, {1, 1, 3, 3}, kKernel);
    Tensor bias = tensor(dtype, {1}, {0.5});
    auto same = convolve(input, weight, &bias, {.padding = kOne});
    ASSERT_TRUE(same.ok()) << same.error().message();
    EXPECT_THAT(same->tensors[0].values(), ElementsAre(24.5, 31.5, 38.5, 18.5, 42.5, 57.5, 64.5, 37.5, 58.5, 85.5, 92.5,
                                                       57.5, 3.5, 38.5, 41.5, 57.5));
    EXPECT_THAT(convolve(input, weight, nullptr, {.stride = kTwo, .padding = kOne})->tensors[0].values(),
                ElementsAre(24, 38, 58, 92));
  }
}

TEST(Convolution, transposed_spreads_the_kernel_and_pads_the_output) {
  Tensor input = tensor({1, 1, 2, 2}, {1, 2, 3, 4}), weight = tensor({1, 1, 3, 3}, kKernel);
  auto out = convolve(input, weight, nullptr,
                      {.stride = kTwo, .padding = kOne, .transposed = true, .output_padding = kOne});
  ASSERT_TRUE(out.ok()) << out.error().message();
  EXPECT_THAT(out->tensors[0].values(), ElementsAre(1, 4, 2, 0, 1, 4, 2, 2, 3, 8, 4, 0, 3, 9, 4, 12));
}

TEST(Convolution, groups_see_only_their_own_channels) {
  Tensor input = tensor({1, 2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8});
  Tensor weight = tensor({2, 1, 2, 2}, {1, 2, 3, 4, -1, 0, 1, 2}), bias = tensor({2}, {1, -1});
  EXPECT_THAT(convolve(input, weight, &bias, {.groups = 2})->tensors[0].values(), ElementsAre(31, 17));
}

TEST(Convolution, has_one_dimensional_and_dilated_forms) {
  Tensor input = tensor({1, 1, 5}, {1, 2, 3, 4, 5}), weight = tensor({1, 1, 2}, {1, -1});
  const Ints one{1}, two{2}, zero{0};
  auto out = convolve(input, weight, nullptr, {one, one, two, false, zero, 1});
  ASSERT_TRUE(out.ok()) << out.error().message();
  EXPECT_THAT(out->tensors[0].values(), ElementsAre(-2, -2, -2, -2, 4));
}

// Float64 takes the direct loops, float32 the products and the depthwise loops: they must agree on every layout.
TEST(Convolution, fast_and_direct_loops_agree_in_both_dim_orders) {
  struct Case {
    Dims input, weight;
    std::int64_t groups;
    bool transposed;
  };
  const std::vector<Case> cases{{{2, 6, 9, 11}, {10, 6, 3, 3}, 1, false}, {{1, 6, 9, 11}, {9, 2, 3, 2}, 3, false},
                                {{1, 5, 9, 30}, {5, 1, 3, 3}, 5, false},  {{1, 70, 9, 5}, {70, 1, 3, 3}, 70, false},
                                {{1, 6, 5, 7}, {6, 4, 3, 3}, 2, true},    {{1, 6, 7, 9}, {4, 6, 1, 1}, 1, false}};
  const auto ramp = [](const Dims& sizes, int period) {
    Numbers values;
    for (std::int64_t i = 0; i < numel(sizes); ++i) values.push_back(static_cast<double>(i % period) - 3);
    return values;
  };
  for (const Case& c : cases) {
    for (const Ints* stride : {&kOne, &kTwo}) {
      const Arguments arguments{.stride = *stride, .padding = kOne, .transposed = c.transposed, .groups = c.groups};
      Tensor exact = tensor(DType::kFloat64, c.input, ramp(c.input, 11));
      Tensor exact_weight = tensor(DType::kFloat64, c.weight, ramp(c.weight, 7));
      auto expected = convolve(exact, exact_weight, nullptr, arguments);
      ASSERT_TRUE(expected.ok()) << expected.error().message();
      for (const DimOrder& order : {DimOrder{0, 1, 2, 3}, DimOrder{0, 2, 3, 1}, DimOrder{0, 1, 3, 2}}) {
        Tensor input(DType::kFloat32, c.input, order), weight(DType::kFloat32, c.weight, order);
        input.set_values(ramp(c.input, 11));
        weight.set_values(ramp(c.weight, 7));
        auto out = convolve(input, weight, nullptr, arguments, {.out_order = order});
        ASSERT_TRUE(out.ok()) << out.error().message();
        EXPECT_EQ(out->tensors[0].values(), expected->tensors[0].values()) << to_string(c.weight);
      }
    }
  }
}

TEST(Convolution, refuses_what_does_not_fit) {
  Tensor input = tensor({1, 1, 4, 4}, kImage), weight = tensor({1, 1, 3, 3}, kKernel);
  const auto message = [&](Tensor& w, const Arguments& arguments) {
    auto out = convolve(input, w, nullptr, arguments);
    return out.ok() ? std::string() : out.error().message();
  };
  const Ints five{5, 5}, negative{-1, 0}, three{1, 1, 1};
  EXPECT_THAT(message(weight, {.stride = kZero}), HasSubstr("stride is 0"));
  EXPECT_THAT(message(weight, {.padding = negative}), HasSubstr("padding is -1"));
  EXPECT_THAT(message(weight, {.dilation = five}), HasSubstr("does not fit input size 4"));
  EXPECT_THAT(message(weight, {.stride = three}), HasSubstr("stride has 3 numbers"));
  EXPECT_THAT(message(weight, {.groups = 2}), HasSubstr("cannot be split into 2 groups"));
  Tensor two_channels = tensor({1, 2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8});
  EXPECT_THAT(message(two_channels, {}), HasSubstr("has 1 channels"));
}

}  // namespace
}  // namespace etalon::ops::testing
