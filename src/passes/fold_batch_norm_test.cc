#include <cmath>

#include "ir/builder.h"
#include "passes/passes_testing.h"

namespace etalon::passes {
extern const Pass kFoldBatchNorm;
namespace {

// gamma 2, beta 1, mean 3, var 4 - eps: scale is 1, shift is -2.
constexpr const char* kConvNorm =
    "graph f {\n  input %x: f32[1, 1, 2, 2]\n  constant %w: f32[2, 1, 1, 1] = {5, 7}\n  constant %b: f32[2] = {1, 1}\n"
    "  constant %gamma: f32[2] = {2, 4}\n  constant %beta: f32[2] = {1, 1}\n  constant %mean: f32[2] = {3, 3}\n"
    "  constant %var: f32[2] = {3, 3}\n"
    "  %c: f32[1, 2, 2, 2] = aten::convolution(%x, %w, %b, [1, 1], [0, 0], [1, 1], false, [0, 0], 1)\n"
    "  %n: f32[1, 2, 2, 2], %m: f32[0], %v: f32[0] = aten::_native_batch_norm_legit_no_training(%c, %gamma, %beta, %mean, %var, 0.1, 1.0)\n"
    "  %r: f32[1, 2, 2, 2] = aten::relu(%n)\n  return %r\n}\n";

TEST(FoldBatchNorm, scales_weight_and_bias) {
  auto graph = ir::parse(kConvNorm);
  ASSERT_TRUE(graph.ok()) << graph.error().message();
  const auto record = run_pass(kFoldBatchNorm, *graph, true);
  ASSERT_TRUE(record.ok()) << record.error().message();
  EXPECT_EQ(record->changes, 1u);
  ASSERT_EQ(graph->nodes.size(), 2u);
  const ir::Node& conv = graph->nodes[0];
  const ir::Constant& weight = *graph->constant_of(std::get<ir::ValueId>(conv.args[1]));
  const ir::Constant& bias = *graph->constant_of(std::get<ir::ValueId>(conv.args[2]));
  EXPECT_FLOAT_EQ(static_cast<float>(ir::element_as_double(weight, 0)), 5.0f);
  EXPECT_FLOAT_EQ(static_cast<float>(ir::element_as_double(weight, 1)), 14.0f);
  EXPECT_FLOAT_EQ(static_cast<float>(ir::element_as_double(bias, 0)), -1.0f);
  EXPECT_FLOAT_EQ(static_cast<float>(ir::element_as_double(bias, 1)), -3.0f);
}

TEST(FoldBatchNorm, keeps_a_norm_whose_convolution_is_used_elsewhere) {
  std::string text = kConvNorm;
  text.replace(text.find("return %r"), 9, "return %r, %c");
  EXPECT_NE(after(kFoldBatchNorm, text).find("batch_norm"), std::string::npos);
}

TEST(FoldBatchNorm, keeps_a_second_norm_when_the_first_is_used_elsewhere) {
  std::string text = kConvNorm;
  text.replace(text.find("  %r: f32"), text.size(),
               "  %n2: f32[1, 2, 2, 2], %m2: f32[0], %v2: f32[0] = "
               "aten::_native_batch_norm_legit_no_training(%n, %gamma, %beta, %mean, %var, 0.1, 1.0)\n"
               "  %r: f32[1, 2, 2, 2] = aten::relu(%n)\n  return %r, %n2\n}\n");
  const std::string folded = after(kFoldBatchNorm, text);
  EXPECT_NE(folded.find("%n2: f32"), std::string::npos) << folded;
  EXPECT_EQ(folded.find("%n: f32"), std::string::npos) << folded;
}

TEST(FoldBatchNorm, folds_a_chain_of_norms) {
  std::string text = kConvNorm;
  text.replace(text.find("  %r: f32"), text.size(),
               "  %n2: f32[1, 2, 2, 2], %m2: f32[0], %v2: f32[0] = "
               "aten::_native_batch_norm_legit_no_training(%n, %gamma, %beta, %mean, %var, 0.1, 1.0)\n"
               "  return %n2\n}\n");
  EXPECT_EQ(after(kFoldBatchNorm, text).find("batch_norm"), std::string::npos);
}

TEST(FoldBatchNorm, scales_the_right_axis_of_transposed_weights) {
  // Weight [in 2, out 2, 1, 1]; output channel 1 is scaled by 2 (gamma 4, deviation 2).
  std::string text =
      "graph f {\n  input %x: f32[1, 2, 1, 1]\n  constant %w: f32[2, 2, 1, 1] = {1, 10, 2, 20}\n"
      "  constant %gamma: f32[2] = {2, 4}\n  constant %mean: f32[2] = {0, 0}\n  constant %var: f32[2] = {3, 3}\n"
      "  %c: f32[1, 2, 1, 1] = aten::convolution(%x, %w, None, [1, 1], [0, 0], [1, 1], true, [0, 0], 1)\n"
      "  %n: f32[1, 2, 1, 1], %m: f32[0], %v: f32[0] = aten::_native_batch_norm_legit_no_training(%c, %gamma, None, %mean, %var, 0.1, 1.0)\n"
      "  return %n\n}\n";
  auto graph = ir::parse(text);
  ASSERT_TRUE(graph.ok()) << graph.error().message();
  ASSERT_TRUE(run_pass(kFoldBatchNorm, *graph, true).ok());
  const ir::Constant& weight = *graph->constant_of(std::get<ir::ValueId>(graph->nodes[0].args[1]));
  EXPECT_FLOAT_EQ(static_cast<float>(ir::element_as_double(weight, 0)), 1.0f);
  EXPECT_FLOAT_EQ(static_cast<float>(ir::element_as_double(weight, 1)), 20.0f);
  EXPECT_FLOAT_EQ(static_cast<float>(ir::element_as_double(weight, 2)), 2.0f);
  EXPECT_FLOAT_EQ(static_cast<float>(ir::element_as_double(weight, 3)), 40.0f);
}

}  // namespace
}  // namespace etalon::passes
