#include <gmock/gmock.h>

#include "ir/builder.h"
#include "passes/passes_testing.h"

namespace etalon::passes {
extern const Pass kFoldScale;
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kConv =
    "graph f {\n  input %x: f32[1, 1, 2, 2]\n  constant %w: f32[2, 1, 1, 1] = {6, 12}\n  constant %b: f32[2] = {0, 6}\n"
    "  %c: f32[1, 2, 2, 2] = aten::convolution(%x, %w, %b, [1, 1], [0, 0], [1, 1], false, [0, 0], 1)\n";

TEST(FoldScale, a_hardsigmoid_behind_a_convolution_is_limits) {
  const std::string text = after(kFoldScale, std::string(kConv) +
                                                 "  %a: f32[1, 2, 2, 2] = aten::add.Scalar(%c, 3.0, 1)\n"
                                                 "  %l: f32[1, 2, 2, 2] = aten::clamp(%a, 0, 6)\n"
                                                 "  %d: f32[1, 2, 2, 2] = aten::div.Scalar(%l, 6.0)\n  return %d\n}\n");
  EXPECT_THAT(text, Not(HasSubstr("div")));
  EXPECT_THAT(text, HasSubstr("clamp"));
}

TEST(FoldScale, a_factor_per_channel_goes_to_weight_and_bias) {
  const std::string text = after(kFoldScale, std::string(kConv) +
                                                 "  %m: f32[1, 2, 2, 2] = aten::mul.Scalar(%c, 0.5)\n  return %m\n}\n");
  EXPECT_THAT(text, HasSubstr("= {3, 6}"));
  EXPECT_THAT(text, HasSubstr("= {0, 3}"));
  EXPECT_THAT(text, Not(HasSubstr("mul")));
}

TEST(FoldScale, keeps_a_factor_whose_product_is_used_elsewhere) {
  const std::string text = after(kFoldScale, std::string(kConv) +
                                                 "  %m: f32[1, 2, 2, 2] = aten::mul.Scalar(%c, 0.5)\n  return %m, %c\n}\n");
  EXPECT_THAT(text, HasSubstr("mul"));
}

TEST(FoldScale, keeps_a_factor_that_differs_within_a_channel) {
  std::string with_row = std::string(kConv) + "  %m: f32[1, 2, 2, 2] = aten::mul.Tensor(%c, %row)\n  return %m\n}\n";
  with_row.insert(with_row.find("  %c:"), "  constant %row: f32[2] = {1, 2}\n");
  EXPECT_THAT(after(kFoldScale, with_row), HasSubstr("mul"));
}

// One product gives query, key and value; only the query's columns are scaled.
constexpr const char* kAttention =
    "graph f {\n  input %x: f32[2, 1]\n  constant %w: f32[1, 6] = {1, 2, 3, 4, 5, 6}\n"
    "  %m: f32[2, 6] = aten::mm(%x, %w)\n  %v: f32[2, 3, 2] = aten::view_copy(%m, [2, 3, 2])\n"
    "  %p: f32[3, 2, 2] = aten::permute_copy(%v, [1, 0, 2])\n"
    "  %q: f32[2, 2], %k: f32[2, 2], %u: f32[2, 2] = aten::unbind_copy.int(%p, 0)\n"
    "  %s: f32[2, 2] = aten::mul.Scalar(%q, 0.5)\n";

TEST(FoldScale, the_scale_of_a_query_goes_to_its_columns) {
  const std::string text = after(kFoldScale, std::string(kAttention) + "  return %s, %k, %u\n}\n");
  EXPECT_THAT(text, HasSubstr("= {0.5, 1, 3, 4, 5, 6}"));
  EXPECT_THAT(text, Not(HasSubstr("mul.Scalar")));
}

TEST(FoldScale, keeps_the_scale_of_a_query_that_is_used_unscaled_too) {
  EXPECT_THAT(after(kFoldScale, std::string(kAttention) + "  return %s, %k, %q\n}\n"), HasSubstr("mul.Scalar"));
}

TEST(FoldScale, the_scale_of_scores_goes_to_the_first_operand) {
  const std::string text = after(kFoldScale,
                                 "graph f {\n  input %x: f32[2, 1]\n  input %y: f32[1, 2, 2]\n  constant %w: f32[1, 2] = {2, 4}\n"
                                 "  %m: f32[2, 2] = aten::mm(%x, %w)\n  %v: f32[1, 2, 2] = aten::view_copy(%m, [1, 2, 2])\n"
                                 "  %b: f32[1, 2, 2] = aten::bmm(%v, %y)\n  %s: f32[1, 2, 2] = aten::mul.Scalar(%b, 0.5)\n"
                                 "  return %s\n}\n");
  EXPECT_THAT(text, HasSubstr("= {1, 2}"));
  EXPECT_THAT(text, Not(HasSubstr("mul.Scalar")));
}

TEST(FoldScale, a_sum_behind_a_product_without_bias_becomes_its_bias) {
  const std::string text = after(kFoldScale,
                                 "graph f {\n  input %x: f32[2, 1]\n  constant %w: f32[1, 2] = {2, 4}\n  constant %t: f32[2] = {7, 8}\n"
                                 "  %m: f32[2, 2] = aten::mm(%x, %w)\n  %s: f32[2, 2] = aten::add.Tensor(%m, %t, 1)\n  return %s\n}\n");
  EXPECT_THAT(text, HasSubstr("aten::addmm"));
  EXPECT_THAT(text, HasSubstr("= {7, 8}"));
}

TEST(FoldScale, a_negative_factor_does_not_pass_limits) {
  const std::string text = after(kFoldScale, std::string(kConv) +
                                                 "  %r: f32[1, 2, 2, 2] = aten::relu(%c)\n"
                                                 "  %m: f32[1, 2, 2, 2] = aten::mul.Scalar(%r, -2.0)\n  return %m\n}\n");
  EXPECT_THAT(text, HasSubstr("mul.Scalar"));
}

}  // namespace
}  // namespace etalon::passes
