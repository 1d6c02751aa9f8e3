#include "backends/xnnpack/aot/quantised.h"

#include <fmt/core.h>
#include <gmock/gmock.h>

#include <cstring>

#include "backends/xnnpack/aot/delegate_testing.h"

namespace etalon::xnnpack {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kQuantise = "quantized_decomposed::quantize_per_tensor";
constexpr std::string_view kDequantise = "quantized_decomposed::dequantize_per_tensor";

// A pair around `from`: %<name>q in int8, %<name> in floats again.
std::string quantised(std::string_view name, std::string_view sizes, std::string_view from,
                      std::string_view scale = "0.5, 3") {
  return fmt::format(
      "  %{0}q: i8{1} = {2}(%{3}, {4}, -128, 127, 1)\n  %{0}: f32{1} = {5}(%{0}q, {4}, -128, 127, 1, None)\n",
      name, sizes, kQuantise, from, scale, kDequantise);
}

// Weights [2, 2, 1, 1] of a convolution, with a scale per output.
constexpr std::string_view kWeight =
    "  constant %wq: i8[2, 2, 1, 1] = {1, 2, 3, 4}\n  constant %ws: f32[2] = {0.5, 0.25}\n  constant %wz: "
    "i64[2] = {0, 0}\n"
    "  constant %b: f32[2] = {1, -2}\n";
constexpr std::string_view kDequantisedWeight =
    "  %w: f32[2, 2, 1, 1] = quantized_decomposed::dequantize_per_channel(%wq, %ws, %wz, 0, -127, 127, 1, "
    "None)\n";
constexpr std::string_view kImage = "[1, 2, 3, 3]";

std::string convolution(std::string_view name, std::string_view from) {
  return fmt::format(
      "  %{}: f32{} = aten::convolution(%{}, %w, %b, [1, 1], [0, 0], [1, 1], false, [0, 0], 1)\n", name,
      kImage, from);
}

std::string image_graph(std::string_view body) {
  return fmt::format("graph f {{\n  input %x: f32{}\n{}{}{}}}\n", kImage, kWeight, kDequantisedWeight, body);
}

TEST(Quantised, a_convolution_between_quantisations_is_one_node_in_int8) {
  const Delegated out = delegated(image_graph(quantised("a", kImage, "x") + convolution("c", "a") +
                                              "  %r: f32[1, 2, 3, 3] = aten::relu(%c)\n" +
                                              quantised("d", kImage, "r") + "  return %d\n"));
  EXPECT_THAT(out.listing, HasSubstr("qint8[1, 3, 3, 2] = Conv2d")) << out.listing;
  EXPECT_THAT(out.listing, HasSubstr("limits 0 to inf"));
  EXPECT_EQ(count(out.listing, "Convert"), 2u) << out.listing;
  EXPECT_TRUE(out.report.outside.empty());
}

TEST(Quantised, biases_are_integers_of_the_product_of_scales) {
  const Delegated out = delegated(image_graph(quantised("a", kImage, "x") + convolution("c", "a") +
                                              quantised("d", kImage, "c") + "  return %d\n"));
  ASSERT_EQ(out.graph.delegates.size(), 1u);
  const auto payload = formats::xnn::decode(out.graph.delegates[0].payload);
  ASSERT_TRUE(payload.ok());
  for (const formats::xnn::Value& value : payload->values) {
    if (value.type != formats::xnn::DataType::kQcint32) continue;
    const std::string& key = *payload->constants[value.constant].key;
    for (const ir::NamedData& data : out.graph.delegates[0].named_data) {
      if (data.key != key) continue;
      std::int32_t bias[2] = {};
      ASSERT_EQ(data.data.bytes().size(), sizeof(bias));
      std::memcpy(bias, data.data.bytes().data(), sizeof(bias));
      EXPECT_EQ(bias[0], 4);    // 1 / (0.5 * 0.5)
      EXPECT_EQ(bias[1], -16);  // -2 / (0.5 * 0.25)
      return;
    }
  }
  FAIL() << "no bias of integers";
}

TEST(Quantised, limits_of_the_same_quantisation_are_fused_into_the_node_before_them) {
  const Delegated out = delegated(image_graph(
      quantised("a", kImage, "x") + convolution("c", "a") + quantised("d", kImage, "c") +
      "  %h: f32[1, 2, 3, 3] = aten::hardtanh(%d, 0, 6)\n" + quantised("e", kImage, "h") + "  return %e\n"));
  EXPECT_THAT(out.listing, Not(HasSubstr("Clamp"))) << out.listing;
  EXPECT_THAT(out.listing, HasSubstr("limits 0 to 6"));
}

TEST(Quantised, limits_of_another_quantisation_are_computed_in_floats) {
  const Delegated out = delegated(image_graph(quantised("a", kImage, "x") +
                                              "  %h: f32[1, 2, 3, 3] = aten::hardtanh(%a, 0.1, 6)\n" +
                                              quantised("e", kImage, "h", "0.25, 1") + "  return %e\n"));
  EXPECT_THAT(out.listing, HasSubstr("fp32[1, 2, 3, 3] = Clamp")) << out.listing;
}

TEST(Quantised, float_operators_share_the_delegate) {
  const Delegated out = delegated(image_graph(
      quantised("a", kImage, "x") + convolution("c", "a") + quantised("d", kImage, "c") +
      "  %s: f32[1, 2, 3, 3] = aten::sigmoid(%d)\n" + quantised("e", kImage, "s", "0.004, -128") +
      "  %m: f32[1, 2, 3, 3] = aten::mul.Tensor(%d, %e)\n" + quantised("g", kImage, "m") + "  return %g\n"));
  EXPECT_EQ(out.report.delegates.size(), 1u);
  EXPECT_THAT(out.listing, HasSubstr("fp32[1, 3, 3, 2] = Sigmoid")) << out.listing;
  EXPECT_THAT(out.listing, HasSubstr("qint8[1, 3, 3, 2] = Multiply"));
}

TEST(Quantised, functions_of_one_number_have_conversions_of_their_own_and_others_share_them) {
  const Delegated tables = delegated(
      image_graph(quantised("a", kImage, "x") + "  %s: f32[1, 2, 3, 3] = aten::sigmoid(%a)\n" +
                  quantised("e", kImage, "s", "0.004, -128") + "  %t: f32[1, 2, 3, 3] = aten::tanh(%a)\n" +
                  quantised("g", kImage, "t", "0.01, 0") + "  return %e, %g\n"));
  EXPECT_EQ(count(tables.listing, "fp32[1, 2, 3, 3] = Convert"), 4u) << tables.listing;
  const Delegated swish = delegated(image_graph(
      quantised("a", kImage, "x") +
      "  %s: f32[1, 2, 3, 3] = aten::sigmoid(%a)\n  %m: f32[1, 2, 3, 3] = aten::mul.Tensor(%a, %s)\n" +
      quantised("g", kImage, "m") + "  return %g\n"));
  EXPECT_EQ(count(swish.listing, "fp32[1, 2, 3, 3] = Convert"), 2u) << swish.listing;
}

TEST(Quantised, views_move_int8) {
  const Delegated out = delegated(
      "graph f {\n  input %x: f32[2, 6]\n" + quantised("a", "[2, 6]", "x") +
      "  %v: f32[2, 3, 2] = aten::view_copy(%a, [2, 3, 2])\n"
      "  %p: f32[3, 2, 2] = aten::permute_copy(%v, [1, 0, 2])\n" +
      quantised("d", "[3, 2, 2]", "p") + "  %s: f32[3, 2, 2] = aten::add.Tensor(%d, %d, 1)\n" +
      quantised("e", "[3, 2, 2]", "s", "1.0, 3") + "  %t: f32[3, 2, 2] = aten::tanh(%e)\n  return %t\n}\n");
  // One border in, one to the float function: all between is int8, where it lies.
  EXPECT_THAT(out.listing, HasSubstr("qint8[2, 6] = Add(%1, %1)")) << out.listing;
  EXPECT_EQ(count(out.listing, "= Convert"), 2u) << out.listing;
}

TEST(Quantised, int8_crosses_borders) {
  const Delegated out =
      delegated("graph f {\n  input %x: f32[2, 6]\n" + quantised("a", "[2, 6]", "x") +
                "  %n: f32[2, 6] = aten::cumsum(%a, 1, None)\n" + quantised("c", "[2, 6]", "n") +
                "  %s: f32[2, 6] = aten::add.Tensor(%a, %c, 1)\n" + quantised("e", "[2, 6]", "s", "1.0, 3") +
                "  return %e\n}\n");
  ASSERT_EQ(out.report.delegates.size(), 2u) << out.listing;
  EXPECT_THAT(out.listing, HasSubstr("qint8[2, 6] = Add")) << out.listing;
  // The first gives floats to what is outside, and int8 to the second.
  EXPECT_EQ(out.report.delegates[0].output_bytes, 2 * 6 * 4 + 2 * 6) << ir::print(out.graph);
}

TEST(Quantised, weights_with_zero_points_are_made_floats) {
  std::string text = image_graph(quantised("a", kImage, "x") + convolution("c", "a") +
                                 quantised("d", kImage, "c") + "  return %d\n");
  text.replace(text.find("{0, 0}"), 6, "{0, 1}");
  const Delegated out = delegated(text);
  EXPECT_THAT(out.listing, HasSubstr("fp32[1, 3, 3, 2] = Conv2d")) << out.listing;
  ASSERT_EQ(out.report.in_float.size(), 1u);
  EXPECT_THAT(out.report.in_float[0].why, HasSubstr("zero point 1, want 0"));
}

TEST(Quantised, a_bias_without_weights_gets_a_scale_that_holds_it) {
  std::string text = image_graph(quantised("a", kImage, "x") + convolution("c", "a") +
                                 quantised("d", kImage, "c") + "  return %d\n");
  text.replace(text.find("{1, 2, 3, 4}"), 12, "{1, 2, 0, 0}");
  text.replace(text.find("{0.5, 0.25}"), 11, "{0.5, 1e-12}");
  const Delegated out = delegated(text);
  EXPECT_THAT(out.listing, HasSubstr("qint8[1, 3, 3, 2] = Conv2d")) << out.listing;
}

TEST(Quantised, a_bias_that_does_not_fit_keeps_the_product_in_floats) {
  std::string text = image_graph(quantised("a", kImage, "x") + convolution("c", "a") +
                                 quantised("d", kImage, "c") + "  return %d\n");
  text.replace(text.find("{0.5, 0.25}"), 11, "{0.5, 1e-12}");
  const Delegated out = delegated(text);
  EXPECT_THAT(out.listing, HasSubstr("fp32[1, 3, 3, 2] = Conv2d")) << out.listing;
  ASSERT_EQ(out.report.in_float.size(), 1u);
  EXPECT_THAT(out.report.in_float[0].why, HasSubstr("too large for 32 bits"));
}

TEST(Quantised, scales_that_are_no_positive_numbers_are_refused) {
  const Delegated out =
      delegated("graph f {\n  input %x: f32[2, 6]\n" + quantised("a", "[2, 6]", "x", "0.0, 3") +
                "  %s: f32[2, 6] = aten::add.Tensor(%a, %a, 1)\n  return %s\n}\n");
  ASSERT_FALSE(out.report.outside.empty());
  EXPECT_THAT(out.report.outside[0].constraint, HasSubstr("its scale is 0, want a positive number"));
}

TEST(Quantised, half_of_the_range_of_int8_is_refused) {
  const Delegated out = delegated(
      "graph f {\n  input %x: f32[2, 6]\n  %q: i8[2, 6] = quantized_decomposed::quantize_per_tensor(%x, 0.5, "
      "0, -8, 7, 1)\n"
      "  %d: f32[2, 6] = quantized_decomposed::dequantize_per_tensor(%q, 0.5, 0, -8, 7, 1, None)\n"
      "  %s: f32[2, 6] = aten::add.Tensor(%d, %d, 1)\n  return %s\n}\n");
  ASSERT_EQ(out.report.outside.size(), 2u);
  EXPECT_THAT(out.report.outside[0].constraint, HasSubstr("limited to -8..7"));
}

TEST(Quantised, ends_that_disagree_are_refused) {
  const Delegated out = delegated(
      "graph f {\n  input %x: f32[2, 6]\n  %q: i8[2, 6] = quantized_decomposed::quantize_per_tensor(%x, 0.5, "
      "0, -128, 127, 1)\n"
      "  %d: f32[2, 6] = quantized_decomposed::dequantize_per_tensor(%q, 0.25, 0, -128, 127, 1, None)\n"
      "  %s: f32[2, 6] = aten::add.Tensor(%d, %d, 1)\n  return %s\n}\n");
  ASSERT_EQ(out.report.outside.size(), 1u) << out.listing;
  EXPECT_THAT(out.report.outside[0].constraint, HasSubstr("another scale or zero point"));
}

// XNNPACK's int8 averages give garbage when a run has more images than the one before it.
TEST(Quantised, averages_of_dynamic_size_are_computed_in_floats) {
  const auto average = [](std::string_view in, std::string_view out) {
    return delegated(fmt::format("graph f {{\n  input %x: f32{}\n", in) + quantised("a", in, "x") +
                     fmt::format("  %m: f32{} = aten::mean.dim(%a, [2, 3], true, None)\n", out) +
                     quantised("d", out, "m") + "  return %d\n}\n");
  };
  const Delegated fixed = average("[8, 2, 3, 3]", "[8, 2, 1, 1]");
  EXPECT_THAT(fixed.listing, HasSubstr("qint8[8, 1, 1, 2] = GlobalAvgPooling2d")) << fixed.listing;
  const Delegated dynamic = average("[8~3, 2, 3, 3]", "[8~3, 2, 1, 1]");
  EXPECT_THAT(dynamic.listing, HasSubstr("fp32[8, 1, 1, 2] = GlobalAvgPooling2d")) << dynamic.listing;
  ASSERT_EQ(dynamic.report.in_float.size(), 1u);
}

constexpr std::string_view kDynamic =
    "graph f {\n  input %x: f32[3, 2]\n  constant %wq: i8[2, 2] = {1, 2, 3, 4}\n  constant %ws: f32[2] = "
    "{0.5, 0.25}\n"
    "  constant %wz: i64[2] = {0, 0}\n"
    "  %s: f64[1], %z: i64[1] = quantized_decomposed::choose_qparams.tensor(%x, -128, 127, 0.0001, 1)\n"
    "  %q: i8[3, 2] = quantized_decomposed::quantize_per_tensor.tensor(%x, %s, %z, -128, 127, 1)\n"
    "  %d: f32[3, 2] = quantized_decomposed::dequantize_per_tensor.tensor(%q, %s, %z, -128, 127, 1, None)\n"
    "  %w: f32[2, 2] = quantized_decomposed::dequantize_per_channel(%wq, %ws, %wz, 0, -127, 127, 1, None)\n";

TEST(Quantised, scales_chosen_at_run_time_become_rows_that_are_quantised_once) {
  const Delegated both = delegated(std::string(kDynamic) +
                                   "  %l: f32[3, 2] = aten::linear(%d, %w, None)\n"
                                   "  %m: f32[3, 2] = aten::linear(%d, %w, None)\n"
                                   "  %t: f32[3, 2] = aten::add.Tensor(%l, %m, 1)\n  return %t\n}\n");
  EXPECT_EQ(count(both.listing, "qdint8[3, 2] = Convert"), 1u) << both.listing;
  EXPECT_EQ(count(both.listing, "FullyConnected"), 2u) << both.listing;
  EXPECT_TRUE(both.report.outside.empty());
}

// XNNPACK would misread the rows of the second: it turns them into unsigned numbers for the kernels of the
// first.
TEST(Quantised, convolutions_of_pixels_and_of_windows_quantise_for_themselves) {
  const auto convolution = [](std::string_view name, int stride, int size) {
    return fmt::format(
        "  %{}: f32[1, 2, {}, {}] = aten::convolution(%a, %w, %b, [{}, {}], [0, 0], [1, 1], false, [0, 0], "
        "1)\n",
        name, size, size, stride, stride);
  };
  const std::string pair =
      "  %s: f64[1], %z: i64[1] = quantized_decomposed::choose_qparams.tensor(%x, -128, 127, 0.0001, 1)\n"
      "  %q: i8[1, 2, 3, 3] = quantized_decomposed::quantize_per_tensor.tensor(%x, %s, %z, -128, 127, 1)\n"
      "  %a: f32[1, 2, 3, 3] = quantized_decomposed::dequantize_per_tensor.tensor(%q, %s, %z, -128, 127, 1, "
      "None)\n";
  const Delegated mixed =
      delegated(image_graph(pair + convolution("c", 1, 3) + convolution("d", 2, 2) + "  return %c, %d\n"));
  EXPECT_EQ(count(mixed.listing, "qdint8[1, 3, 3, 2] = Convert"), 2u) << mixed.listing;
  const Delegated alike =
      delegated(image_graph(pair + convolution("c", 2, 2) + convolution("d", 2, 2) + "  return %c, %d\n"));
  EXPECT_EQ(count(alike.listing, "qdint8[1, 3, 3, 2] = Convert"), 1u) << alike.listing;
}

TEST(Quantised, transposed_convolutions_of_half_precision_are_dynamic_in_float32) {
  const Delegated out = delegated(
      "graph f {\n  input %x: f16[1, 2, 3, 3]\n  constant %wq: i8[2, 2, 2, 2]\n  constant %ws: f32[2] = "
      "{0.5, 0.25}\n"
      "  constant %wz: i64[2] = {0, 0}\n"
      "  %s: f64[1], %z: i64[1] = quantized_decomposed::choose_qparams.tensor(%x, -128, 127, 0.0001, 1)\n"
      "  %q: i8[1, 2, 3, 3] = quantized_decomposed::quantize_per_tensor.tensor(%x, %s, %z, -128, 127, 1)\n"
      "  %d: f16[1, 2, 3, 3] = quantized_decomposed::dequantize_per_tensor.tensor(%q, %s, %z, -128, 127, 1, "
      "5)\n"
      "  %w: f16[2, 2, 2, 2] = quantized_decomposed::dequantize_per_channel(%wq, %ws, %wz, 1, -127, 127, 1, "
      "5)\n"
      "  %c: f16[1, 2, 6, 6] = aten::convolution(%d, %w, None, [2, 2], [0, 0], [1, 1], true, [0, 0], 1)\n  "
      "return %c\n}\n");
  EXPECT_THAT(out.listing, HasSubstr("fp32[1, 6, 6, 2] = ConvTranspose2d")) << out.listing;
  EXPECT_THAT(out.listing, HasSubstr("fp16[1, 6, 6, 2] = Convert"));
}

TEST(Quantised, what_else_reads_a_dynamic_scale_keeps_it_outside) {
  const Delegated out = delegated(std::string(kDynamic) +
                                  "  %l: f32[3, 2] = aten::linear(%d, %w, None)\n"
                                  "  %t: f32[3, 2] = aten::add.Tensor(%l, %d, 1)\n  return %t\n}\n");
  EXPECT_THAT(out.listing, Not(HasSubstr("qdint8"))) << out.listing;
  ASSERT_EQ(out.report.outside.size(), 3u);
  EXPECT_THAT(out.report.outside[0].constraint, HasSubstr("at run time"));
}

}  // namespace
}  // namespace etalon::xnnpack
