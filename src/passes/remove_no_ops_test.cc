#include "passes/passes_testing.h"

namespace etalon::passes {
extern const Pass kRemoveNoOps;
extern const Pass kRemoveDeadCode;
extern const Pass kMergeViews;
extern const Pass kMergeCommonSubexpressions;
extern const Pass kFoldConstants;
namespace {

TEST(RemoveNoOps, drops_clones_and_views_to_the_same_shape) {
  EXPECT_EQ(after(kRemoveNoOps,
                  "graph f {\n  input %x: f32[2, 3]\n  %a: f32[2, 3] = aten::clone(%x, None)\n"
                  "  %b: f32[2, 3] = aten::view_copy(%a, [2, 3])\n  %c: f32[2, 3] = aten::relu(%b)\n"
                  "  %d: f32[2, 3] = aten::permute_copy(%c, [0, 1])\n  return %d\n}\n"),
            "graph f {\n  input %x: f32[2, 3]\n  %c: f32[2, 3] = aten::relu(%x)\n  return %c\n}\n");
}

TEST(RemoveNoOps, keeps_the_copy_between_an_input_and_an_output) {
  const std::string text = "graph f {\n  input %x: f32[2]\n  %a: f32[2] = aten::clone(%x, None)\n  return %a\n}\n";
  EXPECT_EQ(after(kRemoveNoOps, text), text);
}

TEST(RemoveNoOps, keeps_a_transposition_of_a_square) {
  const std::string text =
      "graph f {\n  input %x: f32[2, 2]\n  %a: f32[2, 2] = aten::permute_copy(%x, [1, 0])\n"
      "  %b: f32[2, 2] = aten::relu(%a)\n  return %b\n}\n";
  EXPECT_EQ(after(kRemoveNoOps, text), text);
}

TEST(RemoveDeadCode, drops_chains_that_lead_nowhere) {
  EXPECT_EQ(after(kRemoveDeadCode,
                  "graph f {\n  input %x: f32[2]\n  constant %w: f32[2] = {1, 2}\n  %a: f32[2] = aten::mul.Tensor(%x, %w)\n"
                  "  %b: f32[2] = aten::relu(%a)\n  %c: f32[2] = aten::neg(%x)\n  return %c\n}\n"),
            "graph f {\n  input %x: f32[2]\n  %c: f32[2] = aten::neg(%x)\n  return %c\n}\n");
}

TEST(MergeViews, joins_permutations) {
  const std::string merged = after(kMergeViews,
                                   "graph f {\n  input %x: f32[2, 3, 4]\n  %a: f32[3, 4, 2] = aten::permute_copy(%x, [1, 2, 0])\n"
                                   "  %b: f32[2, 4, 3] = aten::permute_copy(%a, [-1, 1, 0])\n  return %b\n}\n");
  EXPECT_NE(merged.find("%b: f32[2, 4, 3] = aten::permute_copy(%x, [0, 2, 1])"), std::string::npos) << merged;
}

TEST(MergeViews, joins_a_view_with_an_unsqueeze) {
  const std::string merged = after(kMergeViews,
                                   "graph f {\n  input %x: f32[6]\n  %a: f32[6, 1] = aten::unsqueeze_copy(%x, 1)\n"
                                   "  %b: f32[2, 3] = aten::view_copy(%a, [2, 3])\n  return %b\n}\n");
  EXPECT_NE(merged.find("aten::view_copy(%x, [2, 3])"), std::string::npos) << merged;
}

TEST(MergeCommonSubexpressions, collapses_equal_chains_and_equal_literals) {
  EXPECT_EQ(after(kMergeCommonSubexpressions,
                  "graph f {\n  input %x: f32[2]\n  constant %k: f32[] = {2}\n  constant %l: f32[] = {2}\n"
                  "  %a: f32[2] = aten::mul.Tensor(%x, %k)\n  %b: f32[2] = aten::mul.Tensor(%x, %l)\n"
                  "  %c: f32[2] = aten::neg(%a)\n  %d: f32[2] = aten::neg(%b)\n  %e: f32[2] = aten::add.Tensor(%c, %d, 1)\n"
                  "  return %e\n}\n"),
            "graph f {\n  input %x: f32[2]\n  constant %k: f32[] = {2}\n  %a: f32[2] = aten::mul.Tensor(%x, %k)\n"
            "  %c: f32[2] = aten::neg(%a)\n  %e: f32[2] = aten::add.Tensor(%c, %c, 1)\n  return %e\n}\n");
}

TEST(MergeCommonSubexpressions, keeps_random_numbers_apart) {
  const std::string text =
      "graph f {\n  %a: f32[2] = aten::rand([2], None, None, None, None)\n  %b: f32[2] = aten::rand([2], None, None, None, None)\n"
      "  return %a, %b\n}\n";
  EXPECT_EQ(after(kMergeCommonSubexpressions, text), text);
}

TEST(FoldConstants, computes_a_transposed_weight) {
  EXPECT_EQ(after(kFoldConstants,
                  "graph f {\n  input %x: f32[1, 2]\n  constant %w: f32[3, 2] = {1, 2, 3, 4, 5, 6}\n"
                  "  %t: f32[2, 3] = aten::permute_copy(%w, [1, 0])\n  %y: f32[1, 3] = aten::mm(%x, %t)\n  return %y\n}\n"),
            "graph f {\n  input %x: f32[1, 2]\n  constant %t: f32[2, 3] = {1, 3, 5, 2, 4, 6}\n"
            "  %y: f32[1, 3] = aten::mm(%x, %t)\n  return %y\n}\n");
}

TEST(FoldConstants, leaves_state_and_large_fills_alone) {
  const std::string state =
      "graph f {\n  input %x: f32[2]\n  constant %s: f32[2] state = {1, 2}\n  %a: f32[2] = aten::neg(%s)\n"
      "  update %s = %x\n  return %a\n}\n";
  EXPECT_EQ(after(kFoldConstants, state), state);
  const std::string fill = "graph f {\n  %a: f32[1000, 1000] = aten::full([1000, 1000], 1.0, None, None, None, None)\n  return %a\n}\n";
  EXPECT_EQ(after(kFoldConstants, fill), fill);
}

TEST(Pipeline, says_which_pass_name_is_unknown) {
  ir::Graph graph;
  PipelineOptions options;
  options.disabled = {"fold-everything"};
  const auto result = run_pipeline(graph, options);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code(), ErrorCode::kNotFound);
}

}  // namespace
}  // namespace etalon::passes
