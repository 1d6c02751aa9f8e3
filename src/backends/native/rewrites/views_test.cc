#include "backends/native/native_testing.h"

namespace etalon::native {
namespace {

using namespace testing;  // NOLINT: the builders of this layer

TEST(DropIdentity, a_reshape_to_the_same_sizes_goes) {
  GraphBuilder b;
  const auto x = b.reshape(b.node(NodeType::kAbs, {b.input({2, 3})}), {2, 3});
  b.output(b.node(NodeType::kNegate, {x}));
  Graph graph = imported(b);
  EXPECT_TRUE(apply_everywhere(&drop_identity, graph));
  EXPECT_EQ(graph.nodes.size(), 2u);
}

TEST(DropIdentity, an_output_keeps_its_node) {
  GraphBuilder b;
  b.output(b.reshape(b.input({2, 3}), {2, 3}));
  Graph graph = imported(b);
  EXPECT_FALSE(apply_everywhere(&drop_identity, graph));
}

TEST(ReplaceIdleTranspose, only_sizes_of_one_may_move) {
  GraphBuilder b;
  b.output(b.transpose(b.input({1, 1, 1, 8}), {0, 3, 1, 2}));
  b.output(b.transpose(b.input({1, 2, 1, 8}), {0, 3, 1, 2}));
  Graph graph = imported(b);
  EXPECT_TRUE(apply_everywhere(&replace_idle_transpose, graph));
  EXPECT_NE(graph.nodes[0].as<Reshape>(), nullptr);
  EXPECT_NE(graph.nodes[1].as<Transpose>(), nullptr);
}

TEST(MergeViews, transposes_compose) {
  GraphBuilder b;
  b.output(b.transpose(b.transpose(b.input({2, 3, 4}), {2, 0, 1}), {2, 0, 1}));
  Graph graph = imported(b);
  EXPECT_TRUE(apply_everywhere(&merge_views, graph));
  ASSERT_EQ(graph.nodes.size(), 1u);
  EXPECT_EQ(graph.nodes[0].as<Transpose>()->perm, (std::vector<std::uint32_t>{1, 2, 0}));
  expect_same(b, 0);
}

TEST(SinkView, elementwise_work_comes_before_a_view) {
  GraphBuilder b;
  const auto x = b.transpose(b.input({2, 3, 4}), {2, 0, 1});
  b.output(b.node(NodeType::kAdd, {b.node(NodeType::kAbs, {x}), b.number(1)}));
  Graph graph = imported(b);
  EXPECT_TRUE(apply_everywhere(&sink_view, graph));
  EXPECT_NE(graph.nodes.back().as<Transpose>(), nullptr);
  expect_same(b, 0);
}

TEST(SinkView, a_view_with_other_readers_stays) {
  GraphBuilder b;
  const auto x = b.transpose(b.input({2, 3, 4}), {2, 0, 1});
  b.output(b.node(NodeType::kAbs, {x}));
  b.output(b.node(NodeType::kNegate, {x}));
  Graph graph = imported(b);
  EXPECT_FALSE(apply_everywhere(&sink_view, graph));
}

TEST(SinkView, a_number_of_higher_rank_keeps_the_view_where_it_is) {
  GraphBuilder b;
  const auto x = b.reshape(b.input({24}), {2, 3, 4});
  b.output(b.node(NodeType::kAdd, {x, b.constant({1, 1, 1}, {2})}));
  Graph graph = imported(b);
  EXPECT_FALSE(apply_everywhere(&sink_view, graph));
  expect_same(b, 0);
}

}  // namespace
}  // namespace etalon::native
