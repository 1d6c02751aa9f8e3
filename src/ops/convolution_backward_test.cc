#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ops/op_testing.h"

namespace etalon::ops::testing {
namespace {

using ::testing::HasSubstr;
using Ints = std::vector<std::int64_t>;
using Numbers = std::vector<double>;

struct Case {
  Dims input, weight;
  Ints stride, padding, dilation;
  bool transposed;
  Ints output_padding;
  std::int64_t groups;
};

// The arguments from `stride` to `groups`, which both operators have in this order.
std::vector<Value> settings(const Case& c) {
  return {Value::of_ints(c.stride),     Value::of_ints(c.padding),        Value::of_ints(c.dilation),
          Value::of_bool(c.transposed), Value::of_ints(c.output_padding), Value::of_int(c.groups)};
}

Result<CallResult> forward(Tensor& input, Tensor& weight, const Case& c) {
  std::vector<Value> args{input.value(), weight.value(), Value()};
  for (const Value& value : settings(c)) args.push_back(value);
  return call_op("aten::convolution", args);
}

constexpr bool kAll[] = {true, true, true};

Result<CallResult> backward(Tensor& gradient, Tensor& input, Tensor& weight, const Case& c,
                            std::span<const bool> mask = kAll, Value bias_sizes = {},
                            const CallOptions& options = {}) {
  std::vector<Value> args{gradient.value(), input.value(), weight.value(), bias_sizes};
  for (const Value& value : settings(c)) args.push_back(value);
  args.push_back(Value::of_bools(mask));
  return call_op("aten::convolution_backward", args, options);
}

Numbers ramp(const Dims& sizes, int period) {
  Numbers values;
  for (std::int64_t i = 0; i < numel(sizes); ++i) values.push_back(static_cast<double>(i % period) - 3);
  return values;
}

double product(const Numbers& a, const Numbers& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

const std::vector<Case> kCases{
    {{2, 2, 5, 4}, {3, 2, 3, 2}, {1, 1}, {1, 0}, {1, 1}, false, {0, 0}, 1},
    {{1, 4, 6, 5}, {6, 2, 3, 3}, {2, 1}, {1, 2}, {1, 2}, false, {0, 0}, 2},
    {{2, 3, 5, 5}, {6, 1, 2, 3}, {2, 2}, {0, 1}, {2, 1}, false, {0, 0}, 3},
    {{1, 4, 3, 4}, {4, 3, 3, 2}, {2, 3}, {1, 0}, {1, 1}, true, {1, 2}, 2},
    {{2, 2, 7}, {3, 2, 3}, {2}, {1}, {2}, false, {0}, 1},
    {{1, 1, 3, 4, 3}, {2, 1, 2, 2, 2}, {1, 2, 1}, {0, 1, 1}, {1, 1, 1}, false, {0, 0, 0}, 1},
};

// A convolution is linear in its input and in its weight: the derivative by one element is what the
// convolution gives for that element alone, exactly.
TEST(ConvolutionBackward, each_gradient_is_the_derivative_of_the_convolution) {
  for (const Case& c : kCases) {
    SCOPED_TRACE(to_string(c.input) + " * " + to_string(c.weight));
    Tensor input = tensor(DType::kFloat64, c.input, ramp(c.input, 7));
    Tensor weight = tensor(DType::kFloat64, c.weight, ramp(c.weight, 5));
    auto out = forward(input, weight, c);
    ASSERT_TRUE(out.ok()) << out.error().message();
    const Dims sizes = out->tensors[0].sizes();
    Tensor gradient = tensor(DType::kFloat64, sizes, ramp(sizes, 11));
    auto result = backward(gradient, input, weight, c);
    ASSERT_TRUE(result.ok()) << result.error().message();
    for (const int which : {0, 1}) {
      Tensor& changed = which == 0 ? input : weight;
      const Numbers whole = changed.values();
      const Numbers found = result->tensors[static_cast<std::size_t>(which)].values();
      ASSERT_EQ(found.size(), whole.size());
      for (std::size_t i = 0; i < whole.size(); ++i) {
        Numbers one(whole.size(), 0);
        one[i] = 1;
        changed.set_values(one);
        EXPECT_DOUBLE_EQ(found[i], product(gradient.values(), forward(input, weight, c)->tensors[0].values()))
            << "output " << which << " element " << i;
      }
      changed.set_values(whole);
    }
    const Numbers slopes = gradient.values();
    const Numbers bias = result->tensors[2].values();
    ASSERT_EQ(static_cast<std::int64_t>(bias.size()), sizes[1]);
    Numbers sums(bias.size(), 0);
    const std::size_t plane = slopes.size() / static_cast<std::size_t>(sizes[0] * sizes[1]);
    for (std::size_t i = 0; i < slopes.size(); ++i) sums[i / plane % bias.size()] += slopes[i];
    EXPECT_EQ(bias, sums);
  }
}

TEST(ConvolutionBackward, works_in_every_dim_order_and_float_type) {
  const Case& c = kCases[1];
  const auto run = [&](DType dtype, const DimOrder& order) {
    Tensor input(dtype, c.input, order), weight(dtype, c.weight, order), gradient(dtype, {1, 6, 3, 5}, order);
    input.set_values(ramp(c.input, 7));
    weight.set_values(ramp(c.weight, 5));
    gradient.set_values(ramp({1, 6, 3, 5}, 3));
    auto result = backward(gradient, input, weight, c, kAll, {}, {.out_order = order});
    EXPECT_TRUE(result.ok()) << result.error().message();
    std::vector<Numbers> values;
    if (result.ok())
      for (const Tensor& t : result->tensors) values.push_back(t.values());
    return values;
  };
  const auto wanted = run(DType::kFloat64, {0, 1, 2, 3});
  for (const DType dtype : {DType::kFloat32, DType::kFloat16}) {
    for (const DimOrder& order : {DimOrder{0, 1, 2, 3}, DimOrder{0, 2, 3, 1}})
      EXPECT_EQ(run(dtype, order), wanted);
  }
}

TEST(ConvolutionBackward, leaves_out_what_the_mask_does_not_want) {
  const Case& c = kCases[0];
  Tensor input = tensor(c.input, ramp(c.input, 7)), weight = tensor(c.weight, ramp(c.weight, 5));
  Tensor gradient = tensor({2, 3, 5, 3}, ramp({2, 3, 5, 3}, 11));
  const auto all = backward(gradient, input, weight, c);
  ASSERT_TRUE(all.ok()) << all.error().message();
  for (std::size_t left_out = 0; left_out < 3; ++left_out) {
    bool mask[] = {true, true, true};
    mask[left_out] = false;
    const auto some = backward(gradient, input, weight, c, mask);
    ASSERT_TRUE(some.ok()) << some.error().message();
    for (std::size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(some->tensors[i].dtype(), i == left_out ? DType::kUInt8 : DType::kFloat32);
      EXPECT_EQ(some->tensors[i].values(), i == left_out ? Numbers{} : all->tensors[i].values());
    }
  }
}

TEST(ConvolutionBackward, refuses_what_does_not_fit) {
  const Case& c = kCases[0];
  Tensor input = tensor(c.input, ramp(c.input, 7)), weight = tensor(c.weight, ramp(c.weight, 5));
  Tensor gradient = tensor({2, 3, 5, 3}, ramp({2, 3, 5, 3}, 11)),
         narrow = tensor({2, 3, 5, 2}, ramp({2, 3, 5, 2}, 11));
  const auto message = [](const Result<CallResult>& result) {
    return result.ok() ? "" : result.error().message();
  };
  EXPECT_THAT(message(backward(narrow, input, weight, c)),
              HasSubstr("grad_output is float32 [2, 3, 5, 2], want"));
  const bool two[] = {true, true};
  EXPECT_THAT(message(backward(gradient, input, weight, c, two)),
              HasSubstr("output_mask has 2 items, want 3"));
  const Ints wrong{4}, right{3};
  EXPECT_THAT(message(backward(gradient, input, weight, c, kAll, Value::of_ints(wrong))),
              HasSubstr("want [3]"));
  EXPECT_EQ(message(backward(gradient, input, weight, c, kAll, Value::of_ints(right))), "");
  Case zero = c;
  zero.stride = {0, 1};
  EXPECT_THAT(message(backward(gradient, input, weight, zero)), HasSubstr("stride is 0"));
}

}  // namespace
}  // namespace etalon::ops::testing
