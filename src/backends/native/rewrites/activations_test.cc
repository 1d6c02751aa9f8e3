#include "backends/native/native_testing.h"

namespace etalon::native {
namespace {

using namespace testing;  // NOLINT: the builders of this layer

std::uint32_t spelled_hardsigmoid(GraphBuilder& b, std::uint32_t x, float three = 3, float six = 6) {
  const auto sum = b.node(NodeType::kAdd, {x, b.number(three)});
  return b.node(NodeType::kDiv, {b.clamp(b.clamp(sum, 0, kInf), -kInf, 6), b.number(six)});
}

TEST(RecogniseHardsigmoid, add_clamp_clamp_divide) {
  GraphBuilder b;
  b.output(spelled_hardsigmoid(b, b.input({333})));
  const Ran ran = expect_same(b);
  ASSERT_EQ(ran.operations.size(), 1u);
  EXPECT_EQ(ran.operations[0].name, "HardSigmoid (NC) #1");
  EXPECT_EQ(ran.operations[0].debug_handles.size(), 1u);
}

TEST(RecogniseHardsigmoid, multiply_add_clamp) {
  GraphBuilder b;
  const auto x = b.node(NodeType::kMultiply, {b.input({333}), b.number(1.0f / 6)});
  b.output(b.clamp(b.node(NodeType::kAdd, {x, b.number(0.5f)}), 0, 1));
  EXPECT_EQ(expect_same(b).operations.size(), 1u);
}

TEST(RecogniseHardsigmoid, other_numbers_stay_arithmetic) {
  GraphBuilder b;
  b.output(spelled_hardsigmoid(b, b.input({333}), 2.5f));
  b.output(spelled_hardsigmoid(b, b.input({333}), 3, 5));
  EXPECT_EQ(expect_same(b).count("HardSigmoid"), 0u);
}

TEST(RecogniseGated, hardswish_and_silu_in_every_spelling) {
  GraphBuilder b;
  const auto x = b.input({333});
  b.output(b.node(NodeType::kMultiply, {x, spelled_hardsigmoid(b, x)}));
  b.output(b.node(NodeType::kMultiply, {b.node(NodeType::kSigmoid, {x}), x}));
  const auto sum = b.clamp(b.node(NodeType::kAdd, {b.number(3), x}), 0, 6);
  b.output(b.node(NodeType::kMultiply, {b.node(NodeType::kMultiply, {x, sum}), b.number(1.0f / 6)}));
  const Ran ran = expect_same(b);
  EXPECT_EQ(ran.operations.size(), 3u);
}

TEST(RecogniseGated, a_gate_of_something_else_stays) {
  GraphBuilder b;
  const auto x = b.input({333});
  b.output(b.node(NodeType::kMultiply, {x, b.node(NodeType::kSigmoid, {b.input({333})})}));
  EXPECT_EQ(expect_same(b).operations.size(), 2u);
}

TEST(RecogniseSquare, x_times_itself) {
  GraphBuilder b;
  const auto x = b.input({333});
  b.output(b.node(NodeType::kMultiply, {x, x}, {}, 0.25f, 1));
  EXPECT_EQ(expect_same(b).count("Square"), 1u);
}

}  // namespace
}  // namespace etalon::native
