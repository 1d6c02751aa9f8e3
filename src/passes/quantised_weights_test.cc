#include <gmock/gmock.h>

#include "passes/passes_testing.h"

namespace etalon::passes {

extern const Pass kQuantisedWeights;
extern const Pass kFoldConstants;

namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(QuantisedWeights, a_transposition_moves_before_the_dequantisation_and_turns_its_axis) {
  const std::string text = after(
      kQuantisedWeights,
      "graph f {\n  input %x: f32[4, 2]\n  constant %q: i8[3, 2]\n  constant %s: f32[3]\n  constant %z: "
      "i64[3]\n"
      "  %w: f32[3, 2] = quantized_decomposed::dequantize_per_channel(%q, %s, %z, 0, -127, 127, 1, None)\n"
      "  %t: f32[2, 3] = aten::t_copy(%w)\n  %y: f32[4, 3] = aten::mm(%x, %t)\n  return %y\n}\n");
  EXPECT_THAT(text, HasSubstr("%w: i8[2, 3] = aten::t_copy(%q)")) << text;
  EXPECT_THAT(
      text,
      HasSubstr(
          "%t: f32[2, 3] = quantized_decomposed::dequantize_per_channel(%w, %s, %z, 1, -127, 127, 1, None)"))
      << text;
}

TEST(QuantisedWeights, a_view_moves_when_one_scale_holds_for_all) {
  const std::string per_tensor =
      after(kQuantisedWeights,
            "graph f {\n  input %x: f32[6]\n  constant %q: i8[3, 2]\n"
            "  %w: f32[3, 2] = quantized_decomposed::dequantize_per_tensor(%q, 0.5, 0, -127, 127, 1, None)\n"
            "  %v: f32[6] = aten::view_copy(%w, [6])\n  %y: f32[6] = aten::add.Tensor(%x, %v, 1)\n  return "
            "%y\n}\n");
  EXPECT_THAT(per_tensor, HasSubstr("%w: i8[6] = aten::view_copy(%q, [6])")) << per_tensor;
  const std::string per_channel = after(
      kQuantisedWeights,
      "graph f {\n  input %x: f32[6]\n  constant %q: i8[3, 2]\n  constant %s: f32[3]\n  constant %z: i64[3]\n"
      "  %w: f32[3, 2] = quantized_decomposed::dequantize_per_channel(%q, %s, %z, 0, -127, 127, 1, None)\n"
      "  %v: f32[6] = aten::view_copy(%w, [6])\n  %y: f32[6] = aten::add.Tensor(%x, %v, 1)\n  return "
      "%y\n}\n");
  EXPECT_THAT(per_channel, HasSubstr("%v: f32[6] = aten::view_copy(%w, [6])")) << per_channel;
}

TEST(QuantisedWeights, what_two_nodes_read_stays) {
  const std::string text =
      after(kQuantisedWeights,
            "graph f {\n  input %x: f32[2, 3]\n  constant %q: i8[3, 2]\n"
            "  %w: f32[3, 2] = quantized_decomposed::dequantize_per_tensor(%q, 0.5, 0, -127, 127, 1, None)\n"
            "  %t: f32[2, 3] = aten::t_copy(%w)\n  %y: f32[2, 3] = aten::add.Tensor(%x, %t, 1)\n  return %y, "
            "%w\n}\n");
  EXPECT_THAT(text, HasSubstr("%t: f32[2, 3] = aten::t_copy(%w)")) << text;
}

TEST(QuantisedWeights, constant_folding_leaves_them_integers) {
  const std::string text =
      after(kFoldConstants,
            "graph f {\n  input %x: f32[3, 2]\n  constant %q: i8[3, 2] = {1, 2, 3, 4, 5, 6}\n"
            "  %w: f32[3, 2] = quantized_decomposed::dequantize_per_tensor(%q, 0.5, 0, -127, 127, 1, None)\n"
            "  %y: f32[3, 2] = aten::add.Tensor(%x, %w, 1)\n  return %y\n}\n");
  EXPECT_THAT(text, HasSubstr("dequantize_per_tensor(%q")) << text;
}

}  // namespace
}  // namespace etalon::passes
