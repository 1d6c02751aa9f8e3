#include "backends/native/native_testing.h"

namespace etalon::native {
namespace {

using namespace testing;  // NOLINT: the builders of this layer

TEST(FoldFactor, numbers_move_into_products_and_softmax) {
  GraphBuilder b;
  const auto q = b.node(NodeType::kMultiply, {b.input({3, 7, 16}), b.number(0.5f)});
  const auto k = b.transpose(b.node(NodeType::kDiv, {b.input({3, 9, 16}), b.number(2)}), {0, 2, 1});
  const auto scores = b.node(NodeType::kMultiply, {b.number(3), b.node(NodeType::kBatchMatrixMultiply, {q, k})});
  b.output(b.node(NodeType::kAbs, {scores}));
  const auto x = b.node(NodeType::kDiv, {b.input({5, 11}), b.number(4)});
  b.output(b.node(NodeType::kSoftmax, {x}));
  EXPECT_EQ(expect_same(b).operations.size(), 3u);
}

TEST(FuseAttention, scores_that_are_read_elsewhere_are_computed) {
  GraphBuilder b;
  const auto scores = b.node(NodeType::kBatchMatrixMultiply, {b.input({3, 7, 16}), b.input({3, 16, 9})});
  const auto weights = b.node(NodeType::kSoftmax, {scores});
  b.output(weights);
  b.output(b.node(NodeType::kBatchMatrixMultiply, {weights, b.input({3, 9, 5})}));
  EXPECT_EQ(expect_same(b).count("Attention"), 0u);
}

TEST(FuseAttention, operands_in_any_layout) {
  GraphBuilder b;
  const auto q = b.transpose(b.input({7, 3, 16}), {1, 0, 2});
  const auto k = b.input({3, 16, 9});
  const auto v = b.transpose(b.input({3, 20, 9}), {0, 2, 1});
  const auto weights = b.node(NodeType::kSoftmax, {b.node(NodeType::kBatchMatrixMultiply, {q, k})});
  b.output(b.node(NodeType::kBatchMatrixMultiply, {weights, v}));
  EXPECT_EQ(expect_same(b).count("Attention"), 1u);
}

}  // namespace
}  // namespace etalon::native
