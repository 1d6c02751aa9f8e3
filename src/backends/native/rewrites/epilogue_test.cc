#include "backends/native/native_testing.h"

namespace etalon::native {
namespace {

using namespace testing;  // NOLINT: the builders of this layer

TEST(FuseActivation, every_activation_of_an_epilogue) {
  for (const NodeType type : {NodeType::kHardswish, NodeType::kSigmoid, NodeType::kGelu, NodeType::kTanh}) {
    GraphBuilder b;
    b.output(b.node(type, {b.linear(b.input({5, 20}), 20, 33)}));
    EXPECT_EQ(expect_same(b).operations.size(), 1u) << xnn::name_of(type);
  }
  GraphBuilder b;
  b.output(
      b.node(NodeType::kLeakyReLU, {b.conv(b.input({1, 6, 6, 8}), 8, 24, 3, 1, 1)}, xnn::LeakyRelu{0.1f}));
  b.output(b.node(NodeType::kELU, {b.depthwise(b.input({1, 6, 6, 8}), 8, 3, 1, 1)}, xnn::Elu{0.7f}));
  EXPECT_EQ(expect_same(b).operations.size(), 2u);
}

TEST(FuseActivation, not_after_limits) {
  GraphBuilder b;
  b.output(b.node(NodeType::kSigmoid, {b.conv(b.input({1, 6, 6, 8}), 8, 24, 3, 1, 1, 0, kInf)}));
  EXPECT_EQ(expect_same(b).operations.size(), 2u);
}

TEST(FuseResidual, before_the_limits_of_the_sum) {
  GraphBuilder b;
  const auto x = b.input({1, 6, 6, 8});
  b.output(b.node(NodeType::kAdd, {b.conv(x, 8, 8, 3, 1, 1), x}, {}, 0, kInf));
  EXPECT_EQ(expect_same(b).operations.size(), 1u);
}

TEST(FuseResidual, after_the_limits_of_the_product) {
  GraphBuilder b;
  const auto x = b.input({1, 6, 6, 8});
  b.output(b.node(NodeType::kAdd, {x, b.conv(x, 8, 8, 3, 1, 1, 0, 6)}));
  EXPECT_EQ(expect_same(b).operations.size(), 1u);
}

TEST(FuseResidual, of_two_products_the_later_one_takes_the_other) {
  GraphBuilder b;
  const auto x = b.input({1, 8, 8, 8});
  const auto left = b.conv(x, 8, 16, 3, 2, 1);
  const auto right = b.conv(x, 8, 16, 1, 2, 0);
  b.output(b.node(NodeType::kAdd, {left, right}, {}, 0, kInf));
  EXPECT_EQ(expect_same(b).operations.size(), 2u);
}

TEST(FuseResidual, not_where_both_have_limits_or_sizes_differ) {
  GraphBuilder b;
  const auto x = b.input({1, 6, 6, 8});
  b.output(b.node(NodeType::kAdd, {b.conv(x, 8, 8, 3, 1, 1, 0, kInf), x}, {}, 0, 1));
  b.output(b.node(NodeType::kAdd, {b.conv(x, 8, 8, 3, 1, 1), b.weights({8})}));
  EXPECT_EQ(expect_same(b).operations.size(), 4u);
}

TEST(FuseInputScale, only_into_a_1x1_convolution_that_alone_reads_the_product) {
  GraphBuilder b;
  const auto x = b.input({2, 6, 6, 8});
  const auto gate = b.input({2, 1, 1, 8});
  b.output(b.conv(b.node(NodeType::kMultiply, {x, gate}), 8, 24, 1, 1, 0));
  EXPECT_EQ(expect_same(b).operations.size(), 1u);
  b.output(b.conv(b.node(NodeType::kMultiply, {gate, x}), 8, 24, 3, 1, 1));
  EXPECT_EQ(expect_same(b).operations.size(), 3u);
}

}  // namespace
}  // namespace etalon::native
