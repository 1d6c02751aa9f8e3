// Whole graphs through the engine, on every ISA, against the plain nodes.
#include <thread>

#include "backends/native/native_testing.h"

namespace etalon::native {
namespace {

using namespace testing;  // NOLINT: the builders of this layer

// Border transposes, an expanded block with a residual, pooling and a classifier.
GraphBuilder small_mobile_net() {
  GraphBuilder b;
  const auto image = b.input({1, 3, 18, 22});
  auto x = b.transpose(image, {0, 2, 3, 1});
  x = b.conv(x, 3, 16, 3, 2, 1, 0, 6);
  const auto skip = x;
  x = b.conv(x, 16, 48, 1, 1, 0, 0, 6);
  x = b.depthwise(x, 48, 3, 1, 1, 0, 6);
  x = b.conv(x, 48, 16, 1, 1, 0);
  x = b.node(NodeType::kAdd, {x, skip});
  x = b.depthwise(x, 16, 5, 2, 2);
  x = b.node(NodeType::kHardswish, {x});
  x = b.node(NodeType::kGlobalAvgPooling2d, {x});
  x = b.transpose(x, {0, 3, 1, 2});
  x = b.reshape(x, {1, 16});
  b.output(b.linear(x, 16, 10));
  return b;
}

TEST(Graphs, a_small_mobile_net_is_nine_operations) {
  const Ran ran = expect_same(small_mobile_net());
  EXPECT_EQ(ran.operations.size(), 7u);
  EXPECT_EQ(ran.count("Add"), 0u);
  EXPECT_EQ(ran.count("Transpose"), 0u);
}

TEST(Graphs, squeeze_and_excite_spelled_in_arithmetic_needs_no_pass_of_its_own) {
  GraphBuilder b;
  auto x = b.depthwise(b.input({1, 9, 7, 24}), 24, 3, 1, 1, 0, kInf);
  auto gate = b.node(NodeType::kGlobalAvgPooling2d, {x});
  gate = b.conv(gate, 24, 8, 1, 1, 0, 0, kInf);
  gate = b.conv(gate, 8, 24, 1, 1, 0);
  gate = b.transpose(gate, {0, 3, 1, 2});
  gate = b.node(NodeType::kAdd, {gate, b.number(3)});
  gate = b.clamp(gate, 0, kInf);
  gate = b.clamp(gate, -kInf, 6);
  gate = b.node(NodeType::kDiv, {gate, b.number(6)});
  gate = b.transpose(gate, {0, 2, 3, 1});
  x = b.node(NodeType::kMultiply, {gate, x});
  b.output(b.conv(x, 24, 40, 1, 1, 0));
  const Ran ran = expect_same(b);
  EXPECT_EQ(ran.operations.size(), 5u);
}

TEST(Graphs, attention_reads_heads_out_of_the_joint_projection) {
  constexpr std::uint32_t kTokens = 19, kHeads = 3, kDepth = 16, kWidth = kHeads * kDepth;
  GraphBuilder b;
  const auto x = b.input({1, kTokens, kWidth});
  auto qkv = b.reshape(b.linear(x, kWidth, 3 * kWidth), {1, kTokens, 3, kHeads, kDepth});
  qkv = b.transpose(qkv, {2, 0, 3, 1, 4});
  const auto part = [&](std::uint32_t i) {
    return b.reshape(b.slice(qkv, {i, 0, 0, 0, 0}, {1, 1, kHeads, kTokens, kDepth}),
                     {kHeads, kTokens, kDepth});
  };
  const auto q = b.node(NodeType::kMultiply, {part(0), b.number(0.5f)});
  const auto k = b.node(NodeType::kMultiply, {b.transpose(part(1), {0, 2, 1}), b.number(0.5f)});
  auto scores = b.node(NodeType::kBatchMatrixMultiply, {q, k});
  scores = b.node(NodeType::kSoftmax, {b.reshape(scores, {1, kHeads, kTokens, kTokens})});
  auto mixed =
      b.node(NodeType::kBatchMatrixMultiply, {b.reshape(scores, {kHeads, kTokens, kTokens}), part(2)});
  mixed = b.transpose(b.reshape(mixed, {1, kHeads, kTokens, kDepth}), {0, 2, 1, 3});
  mixed = b.linear(b.reshape(mixed, {1, kTokens, kWidth}), kWidth, kWidth);
  b.output(b.node(NodeType::kAdd, {mixed, x}));
  const Ran ran = expect_same(b);
  EXPECT_EQ(ran.count("Attention"), 1u);
  EXPECT_EQ(ran.operations.size(), 3u);
}

TEST(Graphs, concatenated_convolutions_write_in_place) {
  GraphBuilder b;
  const auto x = b.input({1, 6, 5, 8});
  const auto left = b.conv(x, 8, 12, 3, 1, 1, 0, kInf);
  const auto right = b.conv(x, 8, 20, 1, 1, 0, 0, kInf);
  const auto both = b.node(NodeType::kConcatenate2, {left, right}, xnn::Concatenate{3});
  b.output(b.conv(both, 32, 16, 1, 1, 0));
  const Ran ran = expect_same(b);
  EXPECT_EQ(ran.operations.size(), 3u);
}

TEST(Graphs, a_concatenation_of_inputs_and_of_itself_is_copied) {
  GraphBuilder b;
  const auto x = b.input({2, 3, 4});
  const auto y = b.node(NodeType::kAbs, {x});
  b.output(b.node(NodeType::kConcatenate3, {y, x, y}, xnn::Concatenate{1}));
  expect_same(b);
}

TEST(Graphs, outputs_that_are_views_inputs_or_read_again) {
  GraphBuilder b;
  const auto x = b.input({2, 3, 4});
  b.output(b.reshape(x, {6, 4}));
  const auto y = b.node(NodeType::kAbs, {x});
  b.output(y);
  b.output(b.transpose(y, {2, 0, 1}));
  b.output(b.slice(y, {0, 1, 1}, {2, 2, 3}));
  b.output(b.node(NodeType::kNegate, {b.reshape(y, {24})}));
  expect_same(b);
}

TEST(Graphs, elementwise_work_on_views_and_broadcasts) {
  GraphBuilder b;
  const auto x = b.input({2, 3, 4, 5});
  const auto y = b.input({2, 4, 5, 3});
  const auto t = b.transpose(x, {0, 2, 3, 1});
  b.output(b.node(NodeType::kSubtract, {t, y}, {}, -1, 1));
  b.output(b.node(NodeType::kMultiply, {t, b.weights({3})}));
  b.output(b.node(NodeType::kAdd, {b.weights({4, 1, 1}), y}));
  b.output(b.node(NodeType::kDiv, {b.number(2), b.node(NodeType::kExp, {t})}));
  b.output(b.node(NodeType::kMaximum,
                  {b.slice(y, {0, 1, 0, 0}, {2, 2, 5, 3}), b.slice(y, {0, 2, 0, 0}, {2, 2, 5, 3})}));
  expect_same(b);
}

TEST(Graphs, a_value_with_two_readers_is_not_overwritten) {
  GraphBuilder b;
  const auto x = b.input({1, 40});
  const auto y = b.node(NodeType::kAbs, {x});
  const auto z = b.node(NodeType::kNegate, {y});
  b.output(b.node(NodeType::kMultiply, {z, y}));
  expect_same(b);
}

// Rows are direct in both layouts, but they come in another order.
TEST(Graphs, a_value_seen_with_its_rows_in_another_order_is_not_overwritten) {
  GraphBuilder b;
  const auto x = b.node(NodeType::kAbs, {b.input({3, 4, 20})});
  const auto y = b.input({4, 3, 20});
  b.output(b.node(NodeType::kExp, {b.node(NodeType::kAdd, {b.transpose(x, {1, 0, 2}), y})}));
  const auto z = b.node(NodeType::kAbs, {b.input({3, 4, 20})});
  b.output(b.reshape(b.node(NodeType::kSoftmax, {b.transpose(z, {1, 0, 2})}), {240}));
  expect_same(b);
}

TEST(Graphs, a_residual_that_is_also_the_image_is_not_overwritten) {
  GraphBuilder b;
  const auto x = b.node(NodeType::kAbs, {b.input({1, 9, 9, 16})});
  b.output(b.node(NodeType::kExp, {b.node(NodeType::kAdd, {b.conv(x, 16, 16, 3, 1, 1), x})}));
  const auto y = b.node(NodeType::kAbs, {b.input({6, 6})});
  b.output(b.node(NodeType::kExp, {b.node(NodeType::kSubtract, {y, b.transpose(y, {1, 0})})}));
  expect_same(b);
}

TEST(Graphs, batches_of_products_with_broadcast_and_transposed_operands) {
  GraphBuilder b;
  const auto x = b.input({2, 3, 7, 5});
  const auto y = b.input({2, 3, 9, 5});
  b.output(b.node(NodeType::kBatchMatrixMultiply, {x, b.transpose(y, {0, 1, 3, 2})}));
  expect_same(b);
}

TEST(Graphs, threads_do_not_change_results) {
  GraphBuilder b;
  auto x = b.transpose(b.input({1, 3, 40, 44}), {0, 2, 3, 1});
  x = b.conv(x, 3, 32, 3, 1, 1, 0, 6);
  x = b.depthwise(x, 32, 3, 1, 1, 0, 6);
  const auto skip = x;
  x = b.node(NodeType::kAdd, {b.conv(x, 32, 32, 3, 1, 1), skip}, {}, 0, kInf);
  xnn::Pool pool;
  pool.pooling_height = pool.pooling_width = 3;
  pool.stride_height = pool.stride_width = 2;
  x = b.node(NodeType::kMaxPooling2d, {x}, pool);
  x = b.node(NodeType::kSigmoid, {x});
  x = b.node(NodeType::kGlobalAvgPooling2d, {x});
  b.output(b.linear(b.reshape(x, {1, 32}), 32, 1000));
  const Trial trial(b);
  const Ran one = trial.run({.threads = 1});
  ASSERT_EQ(one.error, "");
  EXPECT_LE(trial.error_of(one), 1e-5);
  for (const unsigned threads : {2u, 3u, 4u}) {
    const Ran many = trial.run({.threads = threads}, 20);
    ASSERT_EQ(many.error, "");
    EXPECT_EQ(one.outputs, many.outputs) << threads;
  }
}

// Delegates share working memory: one that finds it in use brings its own, and one that needs more makes it grow.
TEST(Graphs, threads_that_share_a_backend_do_not_disturb_each_other) {
  std::deque<GraphBuilder> builders;  // trials borrow their weights
  std::vector<Trial> trials;
  for (const std::uint32_t channels : {8u, 24u, 96u}) {
    GraphBuilder& b = builders.emplace_back();
    auto x = b.transpose(b.input({1, 3, 20, 20}), {0, 2, 3, 1});
    x = b.conv(x, 3, channels, 3, 1, 1, 0, 6);
    b.output(b.conv(b.depthwise(x, channels, 3, 1, 1), channels, 16, 1, 1, 0));
    trials.emplace_back(b);
  }
  auto backend = NativeBackend::create({.threads = 2});
  ASSERT_TRUE(backend.ok());
  std::vector<Ran> ran(6);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < ran.size(); ++i) {
    threads.emplace_back([&, i] { ran[i] = trials[i % 3].run_on(**backend, 50); });
  }
  for (std::thread& thread : threads) thread.join();
  for (std::size_t i = 0; i < ran.size(); ++i) {
    ASSERT_EQ(ran[i].error, "");
    EXPECT_LE(trials[i % 3].error_of(ran[i]), 1e-5) << i;
  }
}

}  // namespace
}  // namespace etalon::native
