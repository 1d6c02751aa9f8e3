#include "backends/native/native_testing.h"

namespace etalon::native {
namespace {

using namespace testing;  // NOLINT: the builders of this layer

TEST(FoldClamp, limits_compose_in_order) {
  GraphBuilder b;
  const auto x = b.node(NodeType::kAdd, {b.input({50}), b.number(0.5f)}, {}, -1, 1.5f);
  b.output(b.clamp(b.clamp(x, 0, kInf), -kInf, 0.75f));
  Graph graph = imported(b);
  EXPECT_TRUE(apply_everywhere(&fold_clamp, graph));
  ASSERT_EQ(graph.nodes.size(), 1u);
  EXPECT_EQ(graph.nodes[0].as<Binary>()->min, 0.0f);
  EXPECT_EQ(graph.nodes[0].as<Binary>()->max, 0.75f);
  expect_same(b, 1e-7);
}

TEST(FoldClamp, limits_that_exclude_each_other_give_the_later_one) {
  GraphBuilder b;
  b.output(b.clamp(b.clamp(b.input({50}), 1, 2), -1, 0));
  const Ran ran = expect_same(b, 0);
  EXPECT_EQ(ran.operations.size(), 1u);
}

TEST(FoldClamp, a_value_that_is_read_elsewhere_keeps_its_limits) {
  GraphBuilder b;
  const auto x = b.node(NodeType::kAbs, {b.input({50})});
  b.output(x);
  b.output(b.clamp(x, 0, 1));
  Graph graph = imported(b);
  EXPECT_FALSE(apply_everywhere(&fold_clamp, graph));
}

TEST(FoldClamp, not_into_a_product_whose_residual_comes_last) {
  GraphBuilder b;
  const auto x = b.input({1, 4, 4, 8});
  const auto y = b.node(NodeType::kSigmoid, {b.conv(x, 8, 8, 1, 1, 0)});
  b.output(b.clamp(b.node(NodeType::kAdd, {y, x}), 0, 1));
  const Ran ran = expect_same(b);
  EXPECT_EQ(ran.count("Add"), 1u);
}

}  // namespace
}  // namespace etalon::native
