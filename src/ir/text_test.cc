#include "ir/text.h"

#include <gtest/gtest.h>

#include "ir/builder.h"
#include "ir/frame.h"
#include "ir/verify.h"

namespace etalon::ir {
namespace {

constexpr const char* kText = R"(graph forward {
  input %x: f32[8~3, 4]
  input %image: f32[1, 3, 4, 4]{0,2,3,1}
  constant %w.weight: f32[2, 2] parameter = {1, 2.5, -3, 4}
  constant %count: i64[] state = {7}
  constant %big: f32[100]
  %n: int(8~3) = aten::sym_size.int(%x, 0)
  %y: f32[8~3, 4] = aten::add.Tensor(%x, %x, 1)
  %z: f32[8~3, 4] = aten::mul.Scalar(%y, 2.0)
  update %count = %count
  return %z, %n, None, 3
}
)";

TEST(GraphText, round_trips) {
  const auto graph = parse(kText);
  ASSERT_TRUE(graph.ok()) << graph.error().message();
  EXPECT_EQ(print(*graph), kText);
  EXPECT_TRUE(verify(*graph).ok()) << verify(*graph).error().message();
}

TEST(GraphText, errors_name_the_line) {
  const auto bad = parse("graph f {\n  input %x: f32[2]\n  %y: f32[2] = aten::nothing(%x)\n  return %y\n}\n");
  ASSERT_FALSE(bad.ok());
  EXPECT_NE(bad.error().message().find("line 3"), std::string::npos) << bad.error().message();
}

TEST(GraphText, every_prefix_is_an_error_and_not_a_crash) {
  const std::string text = kText;
  for (std::size_t size = 0; size + 2 < text.size(); ++size) EXPECT_FALSE(parse(text.substr(0, size)).ok()) << size;
}

TEST(Verify, finds_a_wrong_type) {
  std::string text = kText;
  text.replace(text.find("%y: f32[8~3, 4]"), 15, "%y: f32[8~3, 5]");
  const auto graph = parse(text);
  ASSERT_TRUE(graph.ok());
  const Status status = verify(*graph);
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.error().message().find("the operator gives f32[8~3, 4]"), std::string::npos) << status.error().message();
  EXPECT_NE(status.error().message().find("node aten::add.Tensor"), std::string::npos) << status.error().message();
}

TEST(Builder, infers_dynamic_dims_and_fills_defaults) {
  Graph graph;
  TensorType type = TensorType::of(DType::kFloat32, {8, 4});
  type.probe = {3, 4};
  const ValueId x = graph.add_input("x", type);
  Builder builder(graph);
  const auto y = builder.call("aten::add.Tensor", {x, x});
  ASSERT_TRUE(y.ok()) << y.error().message();
  EXPECT_TRUE(builder.type(*y).is_dynamic(0));
  EXPECT_FALSE(builder.type(*y).is_dynamic(1));
  EXPECT_EQ(std::get<std::int64_t>(graph.nodes[0].args[2]), 1);
  graph.outputs.push_back({Output::Kind::kUser, *y, {}});
  EXPECT_TRUE(verify(graph).ok());
}

TEST(Builder, says_which_operator_is_unknown) {
  Graph graph;
  Builder builder(graph);
  const auto result = builder.call("aten::no_such_thing", {});
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code(), ErrorCode::kUnsupported);
  EXPECT_NE(result.error().message().find("aten::no_such_thing"), std::string::npos);
}

TEST(Evaluate, computes_a_node_of_constants) {
  const auto graph = parse(
      "graph f {\n  constant %a: f32[2] = {1, 2}\n  constant %b: f32[2] = {10, 20}\n"
      "  %c: f32[2] = aten::add.Tensor(%a, %b, 2)\n  return %c\n}\n");
  ASSERT_TRUE(graph.ok()) << graph.error().message();
  const auto result = evaluate(*graph, graph->nodes[0]);
  ASSERT_TRUE(result.ok()) << result.error().message();
  EXPECT_EQ(element_as_double((*result)[0], 1), 42.0);
}

TEST(Graph, compact_drops_dead_nodes_and_unused_constants) {
  auto graph = parse(
      "graph f {\n  input %x: f32[2]\n  constant %unused: f32[2] = {1, 2}\n  constant %s: f32[2] state = {0, 0}\n"
      "  %c: f32[2] = aten::add.Tensor(%x, %unused, 2)\n  %d: f32[2] = aten::add.Tensor(%x, %x, 1)\n"
      "  update %s = %d\n  return %d\n}\n");
  ASSERT_TRUE(graph.ok()) << graph.error().message();
  graph->nodes[0].dead = true;
  graph->compact();
  EXPECT_EQ(print(*graph),
            "graph f {\n  input %x: f32[2]\n  constant %s: f32[2] state = {0, 0}\n  %d: f32[2] = aten::add.Tensor(%x, %x, 1)\n"
            "  update %s = %d\n  return %d\n}\n");
}

TEST(GraphText, delegates_keep_their_listing) {
  const std::string text =
      "graph f {\n  input %x: f32[2]\n  %a: f32[2], %b: f32[3] = executorch_call_delegate(0, t[%x])\n    | XnnpackBackend\n"
      "    |   %1: fp32[2] = Abs(input 0)\n    |   %2: fp32[3] = Tanh(%1)\n  return %a, %b\n}\n";
  const auto graph = parse(text);
  ASSERT_TRUE(graph.ok()) << graph.error().message();
  EXPECT_TRUE(verify(*graph).ok());
  EXPECT_EQ(print(*graph), text);
}

TEST(GraphText, a_call_of_no_delegate_is_refused) {
  EXPECT_FALSE(parse("graph f {\n  input %x: f32[2]\n  %a: f32[2] = executorch_call_delegate(3, t[%x])\n  return %a\n}\n").ok());
  EXPECT_FALSE(parse("graph f {\n  input %x: f32[2]\n  %a: f32[2] = executorch_call_delegate(t[%x])\n  return %a\n}\n").ok());
}

}  // namespace
}  // namespace etalon::ir
