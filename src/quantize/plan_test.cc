#include "quantize/plan.h"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "quantize/quantize_testing.h"

namespace etalon::quantize {
namespace {

using testing::HasSubstr;

Plan plan_of(const ir::Graph& graph, const Options& options = {}) {
  auto plan = make_plan(graph, options);
  if (!plan.ok()) {
    ADD_FAILURE() << plan.error().message();
    return {};
  }
  return std::move(plan).value();
}

std::vector<std::string> names_in_int8(const Plan& plan) {
  std::vector<std::string> names;
  for (std::size_t s = 0; s < plan.sites.size(); ++s) {
    if (plan.is_quantised(s)) names.push_back(fmt::format("{} {}", plan.sites[s].kind, plan.sites[s].name));
  }
  return names;
}

constexpr const char* kNet = R"(graph forward {
  input %x: f32[1, 2, 4, 4]
  constant %w: f32[2, 2, 1, 1] parameter = {1, 2, 3, 4}
  %a: f32[1, 2, 4, 4] = aten::convolution(%x, %w, None, [1, 1], [0, 0], [1, 1], false, [0, 0], 1)
  %h1: f32[1, 2, 4, 4] = aten::add.Scalar(%a, 3, 1)
  %h2: f32[1, 2, 4, 4] = aten::clamp(%h1, 0, 6)
  %h3: f32[1, 2, 4, 4] = aten::mul.Tensor(%a, %h2)
  %h: f32[1, 2, 4, 4] = aten::div.Scalar(%h3, 6)
  %s1: f32[1, 2, 4, 4] = aten::sigmoid(%h)
  %b: f32[1, 2, 4, 4] = aten::convolution(%h, %w, None, [1, 1], [0, 0], [1, 1], false, [0, 0], 1)
  %sum: f32[1, 2, 4, 4] = aten::add.Tensor(%a, %b, 1)
  %r: f32[1, 2, 4, 4] = aten::clamp(%sum, 0, 6)
  %p: f32[1, 2, 2, 2], %pi: i64[1, 2, 2, 2] = aten::max_pool2d_with_indices(%r, [2, 2], [2, 2], [0, 0], [1, 1], false)
  %c: f32[1, 2, 2, 2] = aten::convolution(%p, %w, None, [1, 1], [0, 0], [1, 1], false, [0, 0], 1)
  %v: f32[1, 8] = aten::view_copy(%c, [1, 8])
  return %v, %s1
}
)";

TEST(Plan, WhatLiesBetweenConvolutionsIsInt8AndWhatLeadsOutIsFloat) {
  const ir::Graph graph = graph_of(kNet);
  const Plan plan = plan_of(graph);
  EXPECT_THAT(names_in_int8(plan),
              testing::ElementsAre("conv a", "hardswish h", "conv b", "add r", "max_pool2d p", "conv c"));
}

TEST(Plan, AHardswishIsOneSiteAndAClampBelongsToTheSumBeforeIt) {
  const ir::Graph graph = graph_of(kNet);
  for (const Site& site : find_sites(graph)) {
    if (site.kind == "hardswish") EXPECT_EQ(site.nodes.size(), 4u);
    if (site.kind == "add") EXPECT_EQ(site.clamp, "clamp");
  }
}

TEST(Plan, PoolingSharesTheParametersOfWhatItReadsAndNeedsNoData) {
  const ir::Graph graph = graph_of(kNet);
  const Plan plan = plan_of(graph);
  for (const Group& group : plan.groups) {
    if (graph[group.values[0]].name != "r") continue;
    EXPECT_EQ(group.values.size(), 2u);
    EXPECT_EQ(group.observed.size(), 1u);
    return;
  }
  FAIL() << "no group of r";
}

TEST(Plan, TheSumBetweenLayerNormsStaysInFloat) {
  const ir::Graph graph = graph_of(R"(graph forward {
  input %x: f32[4, 2]
  constant %w: f32[2, 2] parameter = {1, 2, 3, 4}
  constant %b: f32[2] parameter = {1, 2}
  %n: f32[4, 2], %n1: f32[4, 1], %n2: f32[4, 1] = aten::native_layer_norm(%x, [2], %b, %b, 1e-05)
  %l: f32[4, 2] = aten::addmm(%b, %n, %w, 1, 1)
  %s: f32[4, 2] = aten::add.Tensor(%x, %l, 1)
  %m: f32[4, 2], %m1: f32[4, 1], %m2: f32[4, 1] = aten::native_layer_norm(%s, [2], %b, %b, 1e-05)
  %k: f32[4, 2] = aten::addmm(%b, %m, %w, 1, 1)
  %g: f32[4, 2] = aten::gelu(%k, "none")
  %o: f32[4, 2] = aten::mm(%g, %w)
  %t: f32[4, 2] = aten::add.Tensor(%s, %o, 1)
  return %t
}
)");
  EXPECT_THAT(names_in_int8(plan_of(graph)),
              testing::ElementsAre("linear l", "linear k", "gelu g", "linear o"));
}

TEST(Plan, ConcatenationGivesItsPartsOneRange) {
  const ir::Graph graph = graph_of(R"(graph forward {
  input %x: f32[1, 1, 2, 2]
  constant %w: f32[1, 1, 1, 1] parameter = {1}
  constant %v: f32[1, 2, 1, 1] parameter = {1, 1}
  %a: f32[1, 1, 2, 2] = aten::convolution(%x, %w, None, [1, 1], [0, 0], [1, 1], false, [0, 0], 1)
  %b: f32[1, 1, 2, 2] = aten::convolution(%a, %w, None, [1, 1], [0, 0], [1, 1], false, [0, 0], 1)
  %s: f32[1, 1, 2, 2] = aten::sigmoid(%b)
  %c: f32[1, 2, 2, 2] = aten::cat(t[%a, %s], 1)
  %d: f32[1, 1, 2, 2] = aten::convolution(%c, %v, None, [1, 1], [0, 0], [1, 1], false, [0, 0], 1)
  return %d
}
)");
  const Plan plan = plan_of(graph);
  std::size_t shared = 0;
  for (const Group& group : plan.groups) {
    if (group.values.size() == 3) ++shared;
    if (group.values.size() == 3) EXPECT_FALSE(group.fixed) << "other values than the sigmoid's are in it";
  }
  EXPECT_EQ(shared, 1u);
}

TEST(Plan, ASigmoidAloneHasKnownParameters) {
  const ir::Graph graph = graph_of(R"(graph forward {
  input %x: f32[1, 1, 2, 2]
  constant %w: f32[1, 1, 1, 1] parameter = {1}
  %b: f32[1, 1, 2, 2] = aten::convolution(%x, %w, None, [1, 1], [0, 0], [1, 1], false, [0, 0], 1)
  %s: f32[1, 1, 2, 2] = aten::sigmoid(%b)
  %d: f32[1, 1, 2, 2] = aten::convolution(%s, %w, None, [1, 1], [0, 0], [1, 1], false, [0, 0], 1)
  return %d
}
)");
  const Plan plan = plan_of(graph);
  ASSERT_EQ(plan.groups.size(), 4u);
  EXPECT_EQ(plan.groups[2].fixed, (Params{1.0 / 256, -128}));
}

TEST(Plan, SkipAndOnlyTakeKindsNamesAndModules) {
  const ir::Graph graph = graph_of(kNet);
  const auto in_int8 = [&](Selection selection) {
    return names_in_int8(plan_of(graph, {.selection = std::move(selection)}));
  };
  EXPECT_THAT(in_int8({.only = {"conv"}}), testing::ElementsAre("conv a", "conv b", "conv c"));
  EXPECT_THAT(in_int8({.only = {"aten::convolution"}}), testing::ElementsAre("conv a", "conv b", "conv c"));
  EXPECT_THAT(in_int8({.skip = {"hard*"}}),
              testing::ElementsAre("conv a", "conv b", "add r", "max_pool2d p", "conv c"));
  EXPECT_THAT(in_int8({.skip = {"b"}}), testing::ElementsAre("conv a", "conv c"));
  EXPECT_THAT(in_int8({.skip = {"sum"}}), testing::ElementsAre("conv a", "hardswish h", "conv b", "conv c"));
  EXPECT_THAT(in_int8({.skip = {"=b"}}), testing::ElementsAre("conv a", "conv c"));
  EXPECT_FALSE(make_plan(graph, {.selection = {.skip = {"=conv"}}}).ok()) << "a kind, but no result's name";
}

TEST(Plan, ASelectionThatFitsNothingNamesTheKinds) {
  const ir::Graph graph = graph_of(kNet);
  const auto plan = make_plan(graph, {.selection = {.skip = {"lstm"}}});
  ASSERT_FALSE(plan.ok());
  EXPECT_EQ(plan.error().code(), ErrorCode::kNotFound);
  EXPECT_THAT(
      plan.error().message(),
      HasSubstr("'lstm'; there are names of results and weights, and the kinds add, conv, hardswish"));
}

TEST(Plan, AModelThatIsQuantisedAlreadyIsRefused) {
  const ir::Graph graph = graph_of(R"(graph forward {
  input %x: f32[2]
  %q: i8[2] = quantized_decomposed::quantize_per_tensor(%x, 0.1, 0, -128, 127, 1)
  return %q
}
)");
  const auto plan = make_plan(graph, {});
  ASSERT_FALSE(plan.ok());
  EXPECT_EQ(plan.error().message(),
            "the model is quantised already (it has quantized_decomposed::quantize_per_tensor); export it "
            "without --dtype int8");
}

TEST(Plan, WithoutAnythingToQuantiseItSaysSo) {
  const ir::Graph graph =
      graph_of("graph forward {\n  input %x: f32[2]\n  %y: f32[2] = aten::exp(%x)\n  return %y\n}\n");
  const auto plan = make_plan(graph, {});
  ASSERT_FALSE(plan.ok());
  EXPECT_THAT(plan.error().message(), HasSubstr("nothing can be quantised"));
}

}  // namespace
}  // namespace etalon::quantize
