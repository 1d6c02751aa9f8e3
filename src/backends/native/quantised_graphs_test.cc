// int8 graphs through the engine, on every ISA, against the plain nodes: static int8 to the last bit.
#include "backends/native/quantised_testing.h"

namespace etalon::native {
namespace {

using namespace testing;  // NOLINT: the builders of this layer
using Affine = QuantisedGraphBuilder::Affine;

// No operation is one of the plain nodes.
void expect_all_fast(const Ran& ran) {
  for (const auto& operation : ran.operations) {
    EXPECT_EQ(operation.kernel.find("reference"), std::string::npos) << operation.name << " " << operation.kernel;
  }
}

QuantisedGraphBuilder small_mobile_net() {
  QuantisedGraphBuilder b;
  auto x = b.quantised(b.input({2, 3, 18, 22}), {0.02f, -3});
  x = b.stored(b.transpose(x, {0, 2, 3, 1}), {0.02f, -3});
  x = b.qs8_conv(x, 3, 16, 3, 2, 1, {0.03f, -128}, 0, 6);
  const auto skip = x;
  x = b.qs8_conv(x, 16, 48, 1, 1, 0, {0.05f, -20});
  x = b.stored(b.node(NodeType::kHardswish, {x}), {0.03f, -110});
  x = b.qs8_depthwise(x, 48, 3, 1, 1, {0.04f, 5});
  auto gate = b.stored(b.node(NodeType::kGlobalAvgPooling2d, {x}), {0.03f, 11});
  gate = b.qs8_conv(gate, 48, 12, 1, 1, 0, {0.02f, -128}, 0, kInf);
  gate = b.qs8_conv(gate, 12, 48, 1, 1, 0, {0.02f, 0});
  gate = b.stored(b.node(NodeType::kSigmoid, {gate}), {1.f / 256, -128});
  x = b.stored(b.node(NodeType::kMultiply, {gate, x}), {0.03f, 3});
  x = b.qs8_conv(x, 48, 16, 1, 1, 0, {0.05f, 1});
  x = b.stored(b.node(NodeType::kAdd, {x, skip}), {0.06f, -2});
  x = b.qs8_depthwise(x, 16, 5, 2, 2, {0.04f, 5});
  x = b.stored(b.node(NodeType::kGlobalAvgPooling2d, {x}), {0.02f, 0});
  x = b.stored(b.reshape(x, {2, 16}), {0.02f, 0});
  b.output(b.real(b.qs8_linear(x, 16, 10, {0.05f, 7})));
  return b;
}

TEST(QuantisedGraphs, a_small_mobile_net_equals_the_plain_nodes_to_the_bit) {
  const Ran ran = expect_same(small_mobile_net(), 0);
  expect_all_fast(ran);
  EXPECT_EQ(ran.count("HardSwish"), 0u);
  EXPECT_EQ(ran.count("Sigmoid"), 0u);
}

TEST(QuantisedGraphs, threads_change_nothing) {
  const QuantisedGraphBuilder net = small_mobile_net();
  const Trial trial(net);
  for (const unsigned threads : {2u, 5u}) EXPECT_EQ(trial.error_of(trial.run({.threads = threads})), 0);
}

TEST(QuantisedGraphs, an_activation_between_conversions_is_a_part_of_the_convolution) {
  QuantisedGraphBuilder b;
  auto x = b.quantised(b.input({1, 5, 6, 8}), {0.02f, 4});
  x = b.real(b.qs8_conv(x, 8, 40, 1, 1, 0, {0.05f, -9}));
  x = b.node(NodeType::kMultiply, {x, b.node(NodeType::kSigmoid, {x})});
  b.output(b.real(b.quantised(x, {0.03f, -100})));
  const Ran ran = expect_same(b, 0);
  EXPECT_EQ(ran.operations.size(), 3u);
  expect_all_fast(ran);
}

TEST(QuantisedGraphs, a_function_of_two_tensors_is_no_table) {
  QuantisedGraphBuilder b;
  const auto x = b.quantised(b.input({1, 5, 6, 8}), {0.02f, 4});
  const auto y = b.quantised(b.input({1, 5, 6, 8}), {0.01f, 0});
  b.output(b.real(b.quantised(b.node(NodeType::kMultiply, {b.real(x), b.node(NodeType::kSigmoid, {b.real(y)})}), {0.02f, 0})));
  const Ran ran = expect_same(b, 1e-6);
  EXPECT_EQ(ran.count("Multiply"), 1u);
}

TEST(QuantisedGraphs, a_clamp_of_the_same_scale_becomes_limits) {
  QuantisedGraphBuilder b;
  const Affine affine{0.05f, -9};
  auto x = b.qs8_conv(b.quantised(b.input({1, 5, 6, 8}), {0.02f, 4}), 8, 40, 1, 1, 0, affine);
  b.output(b.real(b.stored(b.clamp(x, 0, 3), affine)));
  const Ran ran = expect_same(b, 0);
  EXPECT_EQ(ran.operations.size(), 3u);
}

TEST(QuantisedGraphs, sums_and_products_broadcast_either_side) {
  for (const NodeType type : {NodeType::kAdd, NodeType::kSubtract, NodeType::kMultiply}) {
    for (const std::vector<std::uint32_t>& dims :
         {std::vector<std::uint32_t>{2, 7, 5, 19}, {1, 1, 1, 19}, {2, 1, 1, 19}, {1, 1, 1, 1}, {2, 7, 5, 1}, {2, 7, 1, 19}}) {
      for (const bool swaps : {false, true}) {
        QuantisedGraphBuilder b;
        const auto x = b.quantised(b.input({2, 7, 5, 19}), {0.02f, 4});
        const auto y = b.quantised(b.input(dims), {0.015f, -30});
        const auto out = swaps ? b.node(type, {y, x}, {}, -1.5f, 2) : b.node(type, {x, y}, {}, -1.5f, 2);
        b.output(b.real(b.stored(out, {0.03f, 12})));
        expect_all_fast(expect_same(b, 0));
      }
    }
  }
}

TEST(QuantisedGraphs, every_function_of_one_number_is_a_table) {
  for (const NodeType type : {NodeType::kAbs, NodeType::kSigmoid, NodeType::kTanh, NodeType::kGelu, NodeType::kHardswish,
                              NodeType::kExp, NodeType::kSquare, NodeType::kNegate, NodeType::kFloor, NodeType::kConvert}) {
    QuantisedGraphBuilder b;
    const auto x = b.quantised(b.input({3, 50}), {0.02f, 4});
    b.output(b.real(b.stored(b.node(type, {x}), {0.03f, -7})));
    expect_all_fast(expect_same(b, 0));
  }
}

TEST(QuantisedGraphs, pooling_and_concatenation_stay_int8) {
  QuantisedGraphBuilder b;
  const Affine affine{0.02f, 4};
  const auto x = b.quantised(b.input({1, 12, 14, 24}), affine);
  xnn::Pool pool;
  pool.pooling_height = pool.pooling_width = 3;
  pool.stride_height = pool.stride_width = 2;
  pool.padding_top = pool.padding_left = pool.padding_bottom = pool.padding_right = 1;
  pool.dilation_height = pool.dilation_width = 1;
  const auto pooled = b.stored(b.node(NodeType::kMaxPooling2d, {x}, pool), affine);
  const auto strided = b.qs8_conv(x, 24, 40, 3, 2, 1, affine);
  xnn::Concatenate axis;
  axis.axis = 3;
  const auto both = b.stored(b.node(NodeType::kConcatenate2, {pooled, strided}, axis), affine);
  b.output(b.real(b.qs8_conv(both, 64, 17, 1, 1, 0, {0.04f, 0})));
  expect_all_fast(expect_same(b, 0));
}

TEST(QuantisedGraphs, grouped_dilated_and_transposed_filters_are_right) {
  QuantisedGraphBuilder b;
  auto x = b.quantised(b.input({1, 9, 11, 24}), {0.02f, 4});
  auto window = QuantisedGraphBuilder::window(3, 1, 2, 8, 16, 3);
  window.dilation_height = window.dilation_width = 2;
  x = b.stored(b.node(NodeType::kConv2d, {x, b.int8_weights({48, 3, 3, 8}, 0), b.int32_bias(48)}, window), {0.05f, 3});
  x = b.stored(b.reshape(x, {99, 48}), {0.05f, 3});
  const auto product = b.node(NodeType::kFullyConnected, {x, b.int8_weights({48, 21}, 1), b.int32_bias(21)});
  b.graph.nodes.back().flags |= xnn::kTransposeWeights;
  b.output(b.real(b.stored(product, {0.08f, -1})));
  expect_all_fast(expect_same(b, 0));
}

TEST(QuantisedGraphs, one_scale_for_all_channels_does) {
  QuantisedGraphBuilder b;
  const auto x = b.quantised(b.input({33, 70}), {0.02f, 4});
  const auto product = b.node(NodeType::kFullyConnected, {x, b.int8_weights_of_one_scale({21, 70}), b.int32_bias(21)});
  b.output(b.real(b.stored(product, {0.08f, -1})));
  expect_all_fast(expect_same(b, 0));
}

TEST(QuantisedGraphs, attention_between_conversions_is_done_in_int8) {
  constexpr std::uint32_t kTokens = 19, kHeads = 3, kDepth = 16, kWidth = kHeads * kDepth;
  QuantisedGraphBuilder b;
  const auto x = b.quantised(b.input({1, kTokens, kWidth}), {0.02f, 3});
  const Affine affine{0.02f, 5};
  const auto joint = b.qs8_linear(x, kWidth, 3 * kWidth, affine);
  const auto split = b.stored(b.reshape(joint, {kTokens, 3, kHeads, kDepth}), affine);
  const auto part = [&](std::uint32_t i) {
    const auto one = b.stored(b.slice(split, {0, i, 0, 0}, {kTokens, 1, kHeads, kDepth}), affine);
    return b.reshape(b.transpose(b.real(one), {1, 2, 0, 3}), {kHeads, kTokens, kDepth});
  };
  const auto q = b.node(NodeType::kMultiply, {part(0), b.number(0.25f)});
  auto scores = b.node(NodeType::kBatchMatrixMultiply, {q, b.transpose(part(1), {0, 2, 1})});
  scores = b.node(NodeType::kSoftmax, {scores});
  auto mixed = b.node(NodeType::kBatchMatrixMultiply, {scores, part(2)});
  constexpr float kStep = 0.02f;
  b.output(b.real(b.quantised(mixed, {kStep, -4})));
  // One step is what a number next to a half may go the other way.
  const Trial trial(b);
  Ran ran;
  for (const kernels::IsaInfo& info : kernels::all_isas()) {
    Ran one = trial.run({.isa = std::string(info.name)});
    if (one.error.find("not available") != std::string::npos) continue;
    ASSERT_EQ(one.error, "");
    EXPECT_LE(trial.difference_of(one), 1.001 * kStep) << info.name;
    ran = std::move(one);
  }
  expect_all_fast(ran);
  EXPECT_EQ(ran.count("Attention (NHTC, QS8)"), 1u);
  EXPECT_EQ(ran.count("Convert"), 2u);
}

// The engine rounds float32 where the plain nodes round once at the end.
TEST(QuantisedGraphs, dynamically_quantised_layers_agree) {
  for (const std::int32_t nonbatch_dims : {1, 2}) {
    QuantisedGraphBuilder b;
    const auto x = b.quantised_rows(b.input({2, 33, 70}), {2, 33, 70}, nonbatch_dims);
    const auto filter = b.int8_weights({45, 70}, 0);
    auto y = b.node(NodeType::kFullyConnected, {x, filter, b.weights({45})}, {}, 0, kInf);
    b.output(y);
    const Ran ran = expect_same(b, 2e-6);
    expect_all_fast(ran);
    EXPECT_EQ(ran.operations.size(), 2u);
  }
}

TEST(QuantisedGraphs, dynamically_quantised_images_agree) {
  QuantisedGraphBuilder b;
  const auto x = b.quantised_rows(b.input({2, 9, 8, 12}), {2, 9, 8, 12}, 3);
  b.output(b.node(NodeType::kConv2d, {x, b.int8_weights({20, 3, 3, 12}, 0), b.weights({20})},
                  QuantisedGraphBuilder::window(3, 2, 1, 12, 20, 1)));
  expect_all_fast(expect_same(b, 2e-6));
}

}  // namespace
}  // namespace etalon::native
