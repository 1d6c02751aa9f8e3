#include "backends/native/native_testing.h"

namespace etalon::native {
namespace {

using namespace testing;  // NOLINT: the builders of this layer

constexpr std::uint32_t kColumns = 40;

std::uint32_t mean(GraphBuilder& b, std::uint32_t x, float weight = 1.0f / kColumns) {
  const auto rows = b.reshape(x, {6, kColumns});
  const auto filter = b.constant({1, kColumns}, std::vector<float>(kColumns, weight));
  return b.reshape(b.node(NodeType::kFullyConnected, {rows, filter, xnn::kNoValue}), {2, 3, 1});
}

std::uint32_t spelled_norm(GraphBuilder& b, std::uint32_t x, bool divides, float weight = 1.0f / kColumns) {
  const auto centred = b.node(NodeType::kSubtract, {x, mean(b, x)});
  const auto square =
      divides ? b.node(NodeType::kMultiply, {centred, centred}) : b.node(NodeType::kSquare, {centred});
  const auto variance = b.node(NodeType::kAdd, {mean(b, square, weight), b.number(1e-5f)});
  if (divides) return b.node(NodeType::kDiv, {centred, b.node(NodeType::kSquareRoot, {variance})});
  return b.node(NodeType::kMultiply, {centred, b.node(NodeType::kReciprocalSquareRoot, {variance})});
}

TEST(RecogniseLayerNorm, with_gamma_and_beta_in_one_operation) {
  for (const bool divides : {false, true}) {
    GraphBuilder b;
    auto x = spelled_norm(b, b.input({2, 3, kColumns}), divides);
    x = b.node(NodeType::kMultiply, {x, b.weights({kColumns})});
    b.output(b.node(NodeType::kAdd, {b.weights({1, 1, kColumns}), x}));
    const Ran ran = expect_same(b);
    ASSERT_EQ(ran.operations.size(), 1u);
    EXPECT_EQ(ran.operations[0].name, "Layer Normalization (NC, F32) #1");
  }
}

TEST(RecogniseLayerNorm, other_weights_are_no_mean) {
  GraphBuilder b;
  b.output(spelled_norm(b, b.input({2, 3, kColumns}), false, 1.0f / 20));
  EXPECT_EQ(expect_same(b).count("Layer Norm"), 0u);
}

TEST(FoldLayerNormAffine, a_full_tensor_is_no_gamma) {
  GraphBuilder b;
  const auto x = spelled_norm(b, b.input({2, 3, kColumns}), false);
  b.output(b.node(NodeType::kMultiply, {x, b.weights({2, 3, kColumns})}));
  EXPECT_EQ(expect_same(b).operations.size(), 2u);
}

}  // namespace
}  // namespace etalon::native
