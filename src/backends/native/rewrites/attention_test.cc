#include "backends/native/native_testing.h"

namespace etalon::native {
namespace {

using namespace testing;  // NOLINT: the builders of this layer

TEST(FoldFactor, numbers_move_into_products_and_softmax) {
  GraphBuilder b;
  const auto q = b.node(NodeType::kMultiply, {b.input({3, 7, 16}), b.number(0.5f)});
  const auto k = b.transpose(b.node(NodeType::kDiv, {b.input({3, 9, 16}), b.number(2)}), {0, 2, 1});
  const auto scores =
      b.node(NodeType::kMultiply, {b.number(3), b.node(NodeType::kBatchMatrixMultiply, {q, k})});
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

TEST(FuseAttention, with_a_mask_for_all_heads_for_all_rows_or_for_each) {
  for (const std::vector<std::uint32_t>& mask :
       {std::vector<std::uint32_t>{1, 9}, {1, 7, 9}, {3, 7, 9}, {3, 1, 9}}) {
    GraphBuilder b;
    const auto keys = b.transpose(b.input({3, 9, 16}), {0, 2, 1});
    const auto product = b.node(NodeType::kBatchMatrixMultiply, {b.input({3, 7, 16}), keys});
    const auto scores = b.node(NodeType::kDiv, {product, b.number(4)});
    const auto weights = b.node(NodeType::kSoftmax, {b.node(NodeType::kAdd, {scores, b.input(mask)})});
    b.output(b.node(NodeType::kBatchMatrixMultiply, {weights, b.input({3, 9, 5})}));
    const Ran ran = expect_same(b);
    EXPECT_EQ(ran.count("Attention"), 1u);
    EXPECT_EQ(ran.operations.size(), 1u);
  }
}

TEST(FuseAttention, a_row_or_a_matrix_that_is_added_to_reshaped_scores) {
  for (const std::uint32_t rows : {1u, 7u}) {
    GraphBuilder b;
    const auto product = b.node(NodeType::kBatchMatrixMultiply, {b.input({6, 7, 16}), b.input({6, 16, 9})});
    const auto scores = b.reshape(product, {2, 3, 7, 9});
    const auto sum = b.node(NodeType::kAdd, {scores, b.input({1, 1, rows, 9})});
    const auto weights = b.reshape(b.node(NodeType::kSoftmax, {sum}), {6, 7, 9});
    b.output(b.node(NodeType::kBatchMatrixMultiply, {weights, b.input({6, 9, 5})}));
    EXPECT_EQ(expect_same(b).count("Attention"), 1u);
  }
}

TEST(FuseAttention, a_mask_per_batch_on_reshaped_scores_stays_apart) {
  GraphBuilder b;
  const auto product = b.node(NodeType::kBatchMatrixMultiply, {b.input({6, 7, 16}), b.input({6, 16, 9})});
  const auto scores = b.reshape(product, {2, 3, 7, 9});
  const auto weights = b.node(NodeType::kSoftmax, {b.node(NodeType::kAdd, {scores, b.input({2, 1, 1, 9})})});
  b.output(b.node(NodeType::kBatchMatrixMultiply, {b.reshape(weights, {6, 7, 9}), b.input({6, 9, 5})}));
  EXPECT_EQ(expect_same(b).count("Attention"), 0u);
}

}  // namespace
}  // namespace etalon::native
