#include <gmock/gmock.h>

#include "backends/xnnpack/aot/delegate_testing.h"
#include "ir/frame.h"

namespace etalon::xnnpack {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kConv =
    "graph f {\n  input %x: f32[1, 3, 8, 8]\n  constant %w: f32[4, 3, 3, 3]\n  constant %b: f32[4]\n"
    "  %c: f32[1, 4, 8, 8] = aten::convolution(%x, %w, %b, [1, 1], [1, 1], [1, 1], false, [0, 0], 1)\n";

TEST(Delegate, layout_changes_at_the_borders_only) {
  const Delegated out = delegated(std::string(kConv) +
                                  "  %r: f32[1, 4, 8, 8] = aten::sigmoid(%c)\n"
                                  "  %s: f32[1, 4, 8, 8] = aten::add.Tensor(%r, %c, 1)\n  return %s\n}\n");
  EXPECT_EQ(out.report.delegates.size(), 1u);
  EXPECT_EQ(count(out.listing, "StaticTranspose"), 2u) << out.listing;
}

TEST(Delegate, a_channels_last_border_needs_no_transposition) {
  const Delegated out = delegated(
      "graph f {\n  input %x: f32[1, 3, 8, 8]{0,2,3,1}\n  constant %w: f32[4, 3, 3, 3]\n"
      "  %c: f32[1, 4, 8, 8] = aten::convolution(%x, %w, None, [1, 1], [1, 1], [1, 1], false, [0, 0], 1)\n"
      "  %m: f32[1, 4, 1, 1] = aten::mean.dim(%c, [2, 3], true, None)\n  return %m\n}\n");
  EXPECT_THAT(out.listing, Not(HasSubstr("Transpose"))) << out.listing;
}

TEST(Delegate, limits_are_fused_into_the_node_before_them) {
  const Delegated out = delegated(std::string(kConv) + "  %r: f32[1, 4, 8, 8] = aten::relu(%c)\n  return %r\n}\n");
  EXPECT_THAT(out.listing, HasSubstr("limits 0 to inf"));
  EXPECT_THAT(out.listing, Not(HasSubstr("Clamp")));
}

TEST(Delegate, limits_are_not_fused_when_the_unlimited_result_is_returned) {
  const Delegated out = delegated(std::string(kConv) + "  %r: f32[1, 4, 8, 8] = aten::relu(%c)\n  return %r, %c\n}\n");
  EXPECT_THAT(out.listing, HasSubstr("Clamp"));
}

TEST(Delegate, limits_behind_a_view_are_fused_only_if_nobody_sees_the_product) {
  const std::string text =
      "graph f {\n  input %x: f32[1, 2, 3]\n  constant %w: f32[3, 4]\n  %v: f32[2, 3] = aten::view_copy(%x, [2, 3])\n"
      "  %m: f32[2, 4] = aten::mm(%v, %w)\n  %o: f32[1, 2, 4] = aten::view_copy(%m, [1, 2, 4])\n"
      "  %r: f32[1, 2, 4] = aten::relu(%o)\n";
  EXPECT_THAT(delegated(text + "  return %r\n}\n").listing, Not(HasSubstr("Clamp")));
  EXPECT_THAT(delegated(text + "  %t: f32[2, 4] = aten::tanh(%m)\n  return %r, %t\n}\n").listing, HasSubstr("Clamp"));
}

TEST(Delegate, rows_of_a_linear_layer_keep_their_dims) {
  const Delegated out = delegated(
      "graph f {\n  input %x: f32[1, 5, 3]\n  constant %w: f32[3, 4]\n  constant %b: f32[4]\n"
      "  %v: f32[5, 3] = aten::view_copy(%x, [5, 3])\n  %m: f32[5, 4] = aten::addmm(%b, %v, %w, 1, 1)\n"
      "  %o: f32[1, 5, 4] = aten::view_copy(%m, [1, 5, 4])\n  return %o\n}\n");
  EXPECT_THAT(out.listing, Not(HasSubstr("Reshape"))) << out.listing;
}

TEST(Delegate, an_operator_outside_splits_what_depends_on_it_and_no_more) {
  const Delegated out = delegated(
      "graph f {\n  input %x: f32[4, 6]\n  %a: f32[4, 6] = aten::tanh(%x)\n  %b: f32[4, 6] = aten::erf(%a)\n"
      "  %c: f32[4, 6] = aten::sigmoid(%a)\n  %d: f32[4, 6] = aten::mul.Tensor(%b, %c)\n  return %d\n}\n");
  EXPECT_EQ(out.report.delegates.size(), 2u);
  ASSERT_EQ(out.report.outside.size(), 1u);
  EXPECT_EQ(out.report.outside[0].op, "aten::erf");
  EXPECT_EQ(out.report.outside[0].extra_delegates, 1);
  EXPECT_EQ(out.report.outside[0].border_bytes, 2 * 4 * 6 * 4);
}

TEST(Delegate, views_alone_stay_outside) {
  const Delegated out = delegated(
      "graph f {\n  input %x: f32[4, 6]\n  %v: f32[24] = aten::view_copy(%x, [24])\n  %e: f32[24] = aten::erf(%v)\n"
      "  return %e\n}\n");
  EXPECT_TRUE(out.report.delegates.empty());
}

TEST(Delegate, hardswish_is_one_node) {
  const Delegated out = delegated(
      "graph f {\n  input %x: f32[2, 3]\n  %a: f32[2, 3] = aten::add.Scalar(%x, 3.0, 1)\n"
      "  %c: f32[2, 3] = aten::clamp(%a, 0, 6)\n  %m: f32[2, 3] = aten::mul.Tensor(%x, %c)\n"
      "  %d: f32[2, 3] = aten::div.Scalar(%m, 6.0)\n  return %d\n}\n");
  EXPECT_EQ(count(out.listing, "\n"), 1u) << out.listing;
  EXPECT_THAT(out.listing, HasSubstr("Hardswish"));
}

TEST(Delegate, refusals_name_what_failed_and_what_would_help) {
  const Delegated out = delegated(
      "graph f {\n  input %x: f32[1, 2, 5, 5]\n  %a: f32[1, 2, 3, 3] = aten::_adaptive_avg_pool2d(%x, [3, 3])\n  return %a\n}\n");
  ASSERT_EQ(out.report.outside.size(), 1u);
  EXPECT_THAT(out.report.outside[0].constraint, HasSubstr("5 elements do not divide into 3 equal windows"));
  EXPECT_THAT(out.report.outside[0].remedy, HasSubstr("divides"));
}

TEST(Delegate, debug_handles_are_places_in_the_graph_before) {
  const Delegated out = delegated(
      "graph f {\n  input %x: f32[2, 3]\n  %a: f32[2, 3] = aten::erf(%x)\n  %b: f32[2, 3] = aten::tanh(%a)\n  return %b\n}\n");
  ASSERT_EQ(out.graph.nodes.size(), 2u);
  EXPECT_EQ(out.graph.nodes[1].debug_handles, (std::vector<std::uint32_t>{2}));
  const auto payload = formats::xnn::decode(out.graph.delegates[0].payload);
  ASSERT_TRUE(payload.ok());
  EXPECT_EQ(payload->nodes[0].debug_handle, 2u);
}

TEST(Delegate, a_weight_that_only_delegates_use_leaves_the_graph) {
  const Delegated out = delegated(std::string(kConv) + "  return %c\n}\n");
  EXPECT_TRUE(out.graph.constants.empty());
  EXPECT_EQ(out.graph.delegates[0].named_data.size(), 2u);
}

TEST(Delegate, what_a_delegate_computes_can_be_evaluated) {
  auto graph = ir::parse("graph f {\n  constant %x: f32[2] = {-1, 4}\n  %r: f32[2] = aten::relu(%x)\n  return %r\n}\n");
  ASSERT_TRUE(graph.ok());
  // Nobody delegates constants in earnest; the node's inputs are then none at all.
  ASSERT_TRUE(delegate_graph(*graph).ok());
  ASSERT_EQ(graph->nodes.size(), 1u);
  const auto results = ir::evaluate(*graph, graph->nodes[0]);
  ASSERT_TRUE(results.ok()) << results.error().message();
  EXPECT_EQ((*results)[0].type.sizes, Dims{2});
}

}  // namespace
}  // namespace etalon::xnnpack
