#include "backends/native/shapes.h"

#include <gmock/gmock.h>

#include <vector>

namespace etalon::native {
namespace {

namespace xnn = formats::xnn;
using testing::HasSubstr;
using xnn::NodeType;

struct Case {
  NodeType type;
  xnn::Params params;
  std::vector<Dims> inputs;
  Dims output;
  std::uint32_t flags = 0;
};

xnn::Node node_of(NodeType type, xnn::Params params, std::size_t inputs, std::uint32_t flags) {
  xnn::Node node;
  node.type = type;
  node.params = std::move(params);
  for (std::uint32_t i = 0; i < inputs; ++i) node.inputs.push_back(i);
  node.outputs = {100};
  node.flags = flags;
  return node;
}

Result<Dims> inferred(const Case& c) {
  const xnn::Node node = node_of(c.type, c.params, c.inputs.size(), c.flags);
  Dims out[2];
  const std::size_t outputs = c.type == NodeType::kArgMaxPooling2d ? 2 : 1;
  ETALON_CHECKED(infer_outputs(node, c.inputs, std::span(out, outputs)));
  return out[0];
}

xnn::Conv conv(std::uint32_t kernel, std::uint32_t stride, std::uint32_t pad, std::uint32_t groups,
               std::uint32_t in_each, std::uint32_t out_each, std::uint32_t dilation = 1) {
  xnn::Conv out;
  out.kernel_height = out.kernel_width = kernel;
  out.subsampling_height = out.subsampling_width = stride;
  out.padding_top = out.padding_bottom = out.padding_left = out.padding_right = pad;
  out.groups = groups;
  out.group_input_channels = in_each;
  out.group_output_channels = out_each;
  out.dilation_height = out.dilation_width = dilation;
  return out;
}

TEST(Shapes, every_kind_of_node_has_its_rule) {
  xnn::Conv transposed = conv(3, 2, 1, 1, 8, 4);
  transposed.adjustment_height = 1;
  const Case cases[] = {
      {NodeType::kAbs, {}, {{2, 3}}, {2, 3}},
      {NodeType::kSoftmax, {}, {{2, 3}}, {2, 3}},
      {NodeType::kAdd, {}, {{4, 1, 3}, {2, 1}}, {4, 2, 3}},
      {NodeType::kPReLU, {}, {{1, 5, 5, 3}, {3}}, {1, 5, 5, 3}},
      {NodeType::kFullyConnected, {}, {{2, 7, 5}, {6, 5}, {6}}, {2, 7, 6}},
      {NodeType::kFullyConnected, {}, {{2, 5}, {5, 6}}, {2, 6}, xnn::kTransposeWeights},
      {NodeType::kConv2d, conv(3, 2, 1, 1, 3, 16), {{1, 32, 31, 3}, {16, 3, 3, 3}, {16}}, {1, 16, 16, 16}},
      {NodeType::kConv2d, conv(3, 1, 0, 2, 4, 3, 2), {{1, 9, 9, 8}, {6, 3, 3, 4}}, {1, 5, 5, 6}},
      {NodeType::kDepthwiseConv2d, conv(3, 1, 1, 8, 1, 2), {{1, 4, 4, 8}, {1, 3, 3, 16}}, {1, 4, 4, 16}},
      {NodeType::kConvTranspose2d, transposed, {{1, 4, 4, 8}, {4, 3, 3, 8}}, {1, 8, 7, 4}},
      {NodeType::kMaxPooling2d, xnn::Pool{0, 0, 1, 0, 3, 2, 2, 2, 1, 1}, {{1, 8, 8, 2}}, {1, 4, 4, 2}},
      {NodeType::kAvgPooling2d, xnn::Pool{1, 1, 1, 1, 3, 3, 1, 1, 0, 0}, {{1, 8, 8, 2}}, {1, 8, 8, 2}},
      {NodeType::kArgMaxPooling2d, xnn::Pool{0, 0, 0, 0, 3, 2}, {{1, 9, 9, 2}}, {1, 3, 4, 2}},
      {NodeType::kGlobalAvgPooling2d, {}, {{2, 8, 8, 5}}, {2, 1, 1, 5}, xnn::kKeepDims},
      {NodeType::kGlobalAvgPooling2d, {}, {{2, 8, 8, 5}}, {2, 5}},
      {NodeType::kStaticTranspose, xnn::Transpose{{0, 3, 1, 2}}, {{1, 5, 6, 7}}, {1, 7, 5, 6}},
      {NodeType::kStaticReshape, xnn::Reshape{{6, 0}}, {{3, 4, 5}}, {6, 10}},
      {NodeType::kStaticReshape, xnn::Reshape{{60}}, {{3, 4, 5}}, {60}},
      {NodeType::kStaticSlice, xnn::Slice{{1, 2}, {2, 0}}, {{3, 5}}, {2, 3}},
      {NodeType::kStaticConstantPad, xnn::Pad{{1, 0}, {2, 3}, 0}, {{3, 5}}, {6, 8}},
      {NodeType::kStaticResizeBilinear2D, xnn::Resize{7, 9}, {{1, 3, 4, 2}}, {1, 7, 9, 2}},
      {NodeType::kConcatenate3, xnn::Concatenate{1}, {{2, 1}, {2, 3}, {2, 5}}, {2, 9}},
      {NodeType::kBatchMatrixMultiply, {}, {{4, 2, 3}, {4, 3, 5}}, {4, 2, 5}},
      {NodeType::kBatchMatrixMultiply, {}, {{4, 2, 3}, {1, 5, 3}}, {4, 2, 5}, xnn::kTransposeWeights},
      {NodeType::kAdd, {}, {{0, 3}, {1, 3}}, {0, 3}},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(xnn::name_of(c.type));
    const auto dims = inferred(c);
    ASSERT_TRUE(dims.ok()) << dims.error().message();
    EXPECT_EQ(to_string(*dims), to_string(c.output));
  }
}

TEST(Shapes, sizes_that_do_not_fit_are_named_with_their_node) {
  struct Refusal {
    Case c;
    const char* says;
  };
  const std::uint32_t huge = 0xFFFFFFFFu;
  const Refusal refusals[] = {
      {{NodeType::kAdd, {}, {{2, 3}, {4}}, {}}, "Add: [2, 3] and [4] do not broadcast"},
      {{NodeType::kFullyConnected, {}, {{2, 4}, {6, 5}}, {}}, "the filter wants 5 channels"},
      {{NodeType::kFullyConnected, {}, {{2, 5}, {6, 5}, {5}}, {}}, "the bias is [5], want 6 numbers"},
      {{NodeType::kFullyConnected, {}, {{}, {6, 5}}, {}}, "the filter wants 5 channels"},
      {{NodeType::kConv2d, conv(3, 1, 0, 1, 3, 4), {{1, 2, 9, 3}, {4, 3, 3, 3}}, {}},
       "is larger than 2 elements"},
      {{NodeType::kConv2d, conv(3, 1, 0, 1, 3, 4), {{1, 9, 9, 4}, {4, 3, 3, 3}}, {}},
       "has 4 channels, want 3"},
      {{NodeType::kConv2d, conv(3, 1, 0, 1, 3, 4), {{1, 9, 9, 3}, {4, 3, 3, 2}}, {}}, "want [4, 3, 3, 3]"},
      {{NodeType::kConv2d, conv(3, 1, 0, 1, 3, 4), {{9, 9, 3}, {4, 3, 3, 3}}, {}}, "want 4 dims"},
      {{NodeType::kConv2d, conv(3, 1, 0, 1, 3, 4), {{1, 9, 9, 3}, {4, 3, 3, 3}}, {}, 4}, "TensorFlow"},
      {{NodeType::kDepthwiseConv2d, conv(3, 1, 0, 2, 2, 4), {{1, 9, 9, 4}, {1, 3, 3, 8}}, {}}, "want 1"},
      {{NodeType::kConvTranspose2d, conv(1, 1, 9, 1, 1, 1), {{1, 4, 4, 1}, {1, 1, 1, 1}}, {}},
       "leave nothing"},
      {{NodeType::kConvTranspose2d, conv(1, huge, 0, 1, 1, 1), {{1, 1 << 20, 4, 1}, {1, 1, 1, 1}}, {}},
       "overflows"},
      {{NodeType::kMaxPooling2d, xnn::Pool{0, 0, 0, 0, 2, 2, 1, 1, 0, 0}, {{1, 8, 8, 2}}, {}},
       "dilation is 0"},
      {{NodeType::kMaxPooling2d, xnn::Pool{0, 0, 0, 0, huge, 1, 1, 1, huge, 1}, {{1, 8, 8, 2}}, {}},
       "is larger than"},
      {{NodeType::kGlobalAvgPooling2d, {}, {{2, 5}}, {}}, "at least 3 dims"},
      {{NodeType::kStaticTranspose, xnn::Transpose{{1, 0}}, {{5}}, {}}, "want 2 dims"},
      {{NodeType::kStaticReshape, xnn::Reshape{{7, 0}}, {{3, 4}}, {}},
       "12 elements of [3, 4] do not fit [7, 0]"},
      {{NodeType::kStaticReshape, xnn::Reshape{{huge, huge, huge}}, {{3, 4}}, {}}, "overflows"},
      {{NodeType::kStaticSlice, xnn::Slice{{1}, {3}}, {{3}}, {}}, "3 elements from 1 on leave dim 0"},
      {{NodeType::kStaticSlice, xnn::Slice{{4}, {0}}, {{3}}, {}}, "leave dim 0"},
      {{NodeType::kStaticConstantPad, xnn::Pad{{huge, huge}, {huge, huge}, 0}, {{3, 4}}, {}}, "more than"},
      {{NodeType::kConcatenate2, xnn::Concatenate{2}, {{2, 3}, {2, 3}}, {}}, "the axis is 2"},
      {{NodeType::kConcatenate2, xnn::Concatenate{1}, {{2, 3}, {3, 3}}, {}},
       "input 1 is [3, 3], want [2, 3]"},
      {{NodeType::kConcatenate2, xnn::Concatenate{1}, {{2, 3}, {2}}, {}}, "input 1 is [2], want [2, 3]"},
      {{NodeType::kBatchMatrixMultiply, {}, {{4, 2, 3}, {4, 2, 3}}, {}}, "cannot be multiplied"},
      {{NodeType::kBatchMatrixMultiply, {}, {{3}, {3}}, {}}, "cannot be multiplied"},
      {{NodeType::kScaledDotProductAttention, {}, {{1}, {1}, {1}, {1}, {1}}, {}}, "no ExecuTorch release"},
      {{NodeType::kMultiply, {}, {{1 << 30, 1}, {1, 1 << 30}}, {}}, "more than"},
  };
  for (const Refusal& refusal : refusals) {
    SCOPED_TRACE(refusal.says);
    const auto dims = inferred(refusal.c);
    ASSERT_FALSE(dims.ok()) << to_string(*dims);
    EXPECT_THAT(dims.error().message(), HasSubstr(refusal.says));
    EXPECT_THAT(dims.error().message(), HasSubstr(std::string(xnn::name_of(refusal.c.type)) + ":"));
  }
}

}  // namespace
}  // namespace etalon::native
