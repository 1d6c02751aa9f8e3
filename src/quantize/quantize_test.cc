#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ir/builder.h"
#include "quantize/quantize_testing.h"
#include "quantize/weights.h"

namespace etalon::quantize {
namespace {

using testing::HasSubstr;

constexpr const char* kConv = R"(graph forward {
  input %x: f32[1, 1, 2, 2]
  constant %w: f32[2, 1, 1, 1] parameter = {2, -0.5}
  constant %b: f32[2] parameter = {0.25, 0}
  %conv: f32[1, 2, 2, 2] = aten::convolution(%x, %w, %b, [1, 1], [0, 0], [1, 1], false, [0, 0], 1)
  %relu: f32[1, 2, 2, 2] = aten::relu(%conv)
  return %relu
}
)";

TEST(Quantise, AConvolutionWithItsReluStandsBetweenPairs) {
  EXPECT_EQ(after_quantising(kConv), R"(graph forward {
  input %x: f32[1, 1, 2, 2]
  constant %b: f32[2] parameter = {0.25, 0}
  constant %w_int8: i8[2, 1, 1, 1] parameter = {127, -127}
  constant %w_scales: f32[2] = {0.015748031437397003, 0.003937007859349251}
  constant %w_zero_points: i64[2] = {0, 0}
  %quantize_per_tensor_5: i8[1, 1, 2, 2] = quantized_decomposed::quantize_per_tensor(%x, 0.007843137718737125, -1, -128, 127, 1)
  %dequantize_per_tensor_6: f32[1, 1, 2, 2] = quantized_decomposed::dequantize_per_tensor(%quantize_per_tensor_5, 0.007843137718737125, -1, -128, 127, 1, None)
  %dequantize_per_channel_10: f32[2, 1, 1, 1] = quantized_decomposed::dequantize_per_channel(%w_int8, %w_scales, %w_zero_points, 0, -127, 127, 1, None)
  %conv: f32[1, 2, 2, 2] = aten::convolution(%dequantize_per_tensor_6, %dequantize_per_channel_10, %b, [1, 1], [0, 0], [1, 1], false, [0, 0], 1)
  %relu: f32[1, 2, 2, 2] = aten::relu(%conv)
  %quantize_per_tensor_11: i8[1, 2, 2, 2] = quantized_decomposed::quantize_per_tensor(%relu, 0.007843137718737125, -1, -128, 127, 1)
  %dequantize_per_tensor_12: f32[1, 2, 2, 2] = quantized_decomposed::dequantize_per_tensor(%quantize_per_tensor_11, 0.007843137718737125, -1, -128, 127, 1, None)
  return %dequantize_per_tensor_12
}
)");
}

TEST(Quantise, PerTensorWeightsHaveOneScaleAsANumber) {
  const std::string text = after_quantising(kConv, {.per_channel = false});
  EXPECT_THAT(text, HasSubstr("%w_int8: i8[2, 1, 1, 1] parameter = {127, -32}"));
  EXPECT_THAT(text, HasSubstr("dequantize_per_tensor(%w_int8, 0.015748031437397003, 0, -127, 127, 1, None)"));
}

constexpr const char* kLinear = R"(graph forward {
  input %x: f32[3, 2]
  constant %w: f32[2, 2] parameter = {1, 2, -4, 0}
  constant %b: f32[2] parameter = {0.25, 0}
  %linear: f32[3, 2] = aten::addmm(%b, %x, %w, 1, 1)
  return %linear
}
)";

TEST(Quantise, LinearWeightsAreStoredByOutputAndTransposedAtTheirUse) {
  const std::string text = after_quantising(kLinear);
  EXPECT_THAT(text, HasSubstr("%w_int8: i8[2, 2] parameter = {32, -127, 127, 0}"));
  EXPECT_THAT(text, HasSubstr("= aten::permute_copy(%dequantize_per_channel_"));
}

TEST(Quantise, DynamicLinearLayersTakeParametersPerRowAndGiveFloats) {
  const std::string text = after_quantising(kLinear, {.dynamic = true});
  EXPECT_EQ(count_of(text, "choose_qparams_per_token_asymmetric(%x, 1)"), 1u);
  EXPECT_EQ(count_of(text, "quantized_decomposed::quantize_per_token(%x"), 1u);
  EXPECT_THAT(text, HasSubstr("return %linear\n"));
}

TEST(Quantise, DynamicConvolutionsTakeParametersPerTensor) {
  const std::string text = after_quantising(kConv, {.dynamic = true});
  EXPECT_EQ(count_of(text, "choose_qparams.tensor(%x, -128, 127, 0.000244140625, 1)"), 1u);
  EXPECT_EQ(count_of(text, "quantize_per_tensor.tensor(%x"), 1u);
}

TEST(Quantise, AResultIsQuantisedOnceForAllItsReaders) {
  const std::string text = after_quantising(R"(graph forward {
  input %x: f32[1, 2, 4, 4]
  constant %w: f32[2, 2, 1, 1] parameter = {1, 2, 3, 4}
  %a: f32[1, 2, 4, 4] = aten::convolution(%x, %w, None, [1, 1], [0, 0], [1, 1], false, [0, 0], 1)
  %b: f32[1, 2, 4, 4] = aten::convolution(%a, %w, None, [1, 1], [0, 0], [1, 1], false, [0, 0], 1)
  %c: f32[1, 2, 4, 4] = aten::add.Tensor(%a, %b, 1)
  %d: f32[1, 2, 4, 4] = aten::convolution(%c, %w, None, [1, 1], [0, 0], [1, 1], false, [0, 0], 1)
  %e: f32[1, 2, 4, 4] = aten::exp(%a)
  return %d, %e
}
)");
  EXPECT_EQ(count_of(text, "quantize_per_tensor(%a,"), 1u);
  EXPECT_EQ(count_of(text, "%a,") + count_of(text, "%a)"), 1u) << "nobody but the quantisation reads %a:\n"
                                                               << text;
  EXPECT_EQ(count_of(text, "dequantize_per_channel(%w_int8"), 1u)
      << "a shared weight is stored and read once";
}

TEST(Quantise, ABiasBeyondTheIntegersOfATinyChannelWidensItsScale) {
  const std::string text = after_quantising(R"(graph forward {
  input %x: f32[1, 1, 2, 2]
  constant %w: f32[2, 1, 1, 1] parameter = {1e-12, 1}
  constant %b: f32[2] parameter = {5, 5}
  %conv: f32[1, 2, 2, 2] = aten::convolution(%x, %w, %b, [1, 1], [0, 0], [1, 1], false, [0, 0], 1)
  return %conv
}
)");
  // 5 / (2 / 255 * 2^30)
  EXPECT_THAT(text, HasSubstr("%w_scales: f32[2] = {5.93718"));
}

TEST(Quantise, NanInWeightsIsAnErrorThatNamesThem) {
  ir::Graph graph = graph_of(kConv);
  const std::vector<float> weight{1, std::numeric_limits<float>::quiet_NaN()};
  std::vector<std::byte> bytes(8);
  std::memcpy(bytes.data(), weight.data(), 8);
  graph.constants[0].data = ir::Data::owned(std::move(bytes));
  EXPECT_EQ(check_weights_are_finite(graph).error().message(), "w: has 1 NaN or infinite elements");
  const auto plan = make_plan(graph, {.dynamic = true});
  ASSERT_TRUE(plan.ok());
  const auto status = quantise(graph, *plan, {});
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().message(), "w: has 1 NaN or infinite elements");
}

TEST(Quantise, TheMeanThatRoundingTakesGoesIntoTheBias) {
  ir::Graph graph = graph_of(kConv);
  const auto plan = make_plan(graph, {.per_channel = false});
  ASSERT_TRUE(plan.ok());
  Calibration calibration;
  calibration.params.assign(plan->groups.size(), activation_params({-1, 1}));
  calibration.means[graph.inputs[0].value] = {10};
  ASSERT_TRUE(quantise(graph, *plan, calibration).ok());
  graph.compact();
  // The second channel's -0.5 becomes -32 * 2 / 127: 10 times the difference is lost.
  for (const ir::Constant& constant : graph.constants) {
    if (constant.name != "b_corrected") continue;
    EXPECT_NEAR(ir::element_as_double(constant, 0), 0.25, 1e-6);
    EXPECT_NEAR(ir::element_as_double(constant, 1), 10 * (-0.5 + 32 * 2.0 / 127), 1e-6);
    return;
  }
  FAIL() << ir::print(graph);
}

TEST(BiasCorrection, MeansAreByChannelAndGroupsReadTheirOwn) {
  ChannelMeans means;
  means.add(std::vector<float>{1, 3, 10, 30}, {1, 2, 2});
  means.add(std::vector<float>{5, 5, 50, 50}, {1, 2, 2});
  EXPECT_EQ(means.means(), (std::vector<double>{3.5, 35}));
  const std::vector<float> weight{1, 1, 1, 1}, rounded{1, 0.5f, 1, 0.75f};
  EXPECT_EQ(lost_means(weight, rounded, 2, 2, std::vector<double>{3.5, 35}),
            (std::vector<float>{1.75f, 8.75f}));
  EXPECT_EQ(lost_means(weight, rounded, 2, 1, std::vector<double>{4, 8}), (std::vector<float>{4, 2}));
}

}  // namespace
}  // namespace etalon::quantize
