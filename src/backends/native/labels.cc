#include "backends/native/labels.h"

#include <string_view>

namespace etalon::native {
namespace {

using xnn::DataType;
using xnn::NodeType;

// "F32", "QS8, QC8W", "QDU8, F32, QC8W": of fully connected layers and matrix products.
std::string product_types(const Graph& graph, const Node& node) {
  const DataType in = graph.values[node.inputs[0]].payload_type;
  if (in == DataType::kQdint8) return "QDU8, F32, QC8W";
  if (in == DataType::kQint8) return "QS8, QC8W";
  return in == DataType::kFp16 ? "F16" : "F32";
}

std::string convolution_types(const Graph& graph, const Node& node) {
  const DataType in = graph.values[node.inputs[0]].payload_type;
  if (in == DataType::kQdint8) return "QDU8, F32, QC8W";
  if (in == DataType::kQint8) return "QC8";
  return in == DataType::kFp16 ? "F16" : "F32";
}

std::string bits(const Graph& graph, const Node& node) {
  return "X" + std::to_string(xnn::bits_of(graph.values[node.inputs[0]].payload_type));
}

std::string convolution(const Graph& graph, const Node& node, const xnn::Node& source) {
  const auto& conv = std::get<xnn::Conv>(source.params);
  const bool is_point = conv.kernel_height == 1 && conv.kernel_width == 1 && conv.subsampling_height == 1 &&
                        conv.subsampling_width == 1 && conv.groups == 1 && conv.padding_top == 0 &&
                        conv.padding_left == 0 && conv.padding_right == 0 && conv.padding_bottom == 0;
  if (source.type == NodeType::kDepthwiseConv2d) {
    return "Convolution (NHWC, " + convolution_types(graph, node) + ") " +
           (conv.groups == 1 ? "IGEMM" : "DWConv");
  }
  if (is_point) return "Fully Connected (NC, " + product_types(graph, node) + ") GEMM";
  return "Convolution (NHWC, " + convolution_types(graph, node) + ") IGEMM";
}

std::string plain_name(NodeType type) {
  switch (type) {
    case NodeType::kAdd:
      return "Add (ND)";
    case NodeType::kSubtract:
      return "Subtract (ND)";
    case NodeType::kMultiply:
      return "Multiply (ND)";
    case NodeType::kDiv:
      return "Divide (ND)";
    case NodeType::kMaximum:
      return "Maximum (ND)";
    case NodeType::kMinimum:
      return "Minimum (ND)";
    case NodeType::kPReLU:
      return "PReLU (ND)";
    case NodeType::kHardswish:
      return "HardSwish (NC)";
    case NodeType::kGelu:
      return "GELU (NC)";
    case NodeType::kTanh:
      return "TanH (NC)";
    case NodeType::kSquareRoot:
      return "Square Root (NC)";
    case NodeType::kReciprocalSquareRoot:
      return "Reciprocal Square Root (NC)";
    case NodeType::kSin:
      return "Sine (NC)";
    case NodeType::kCos:
      return "Cosine (NC)";
    case NodeType::kLeakyReLU:
      return "LeakyReLU (NC)";
    case NodeType::kStaticReshape:
      return "Static Reshape (NC)";
    case NodeType::kStaticResizeBilinear2D:
      return "Resize Bilinear (NHWC)";
    case NodeType::kGlobalAvgPooling2d:
      return "Mean (ND) Reduce2";
    default:
      return std::string(xnn::name_of(type)) + " (NC)";
  }
}

}  // namespace

std::string label_of(const Graph& graph, const Node& node, const xnn::Node& source) {
  switch (source.type) {
    case NodeType::kConv2d:
    case NodeType::kDepthwiseConv2d:
      return convolution(graph, node, source);
    case NodeType::kConvTranspose2d:
      return "Deconvolution (NHWC, " + convolution_types(graph, node) + ")";
    case NodeType::kFullyConnected:
      return "Fully Connected (NC, " + product_types(graph, node) + ") GEMM";
    case NodeType::kBatchMatrixMultiply:
      return "Batch Matrix Multiply (NC, " + product_types(graph, node) + ") GEMM";
    case NodeType::kScaledDotProductAttention:
      return "Scaled Dot-Product Attention (NHTC, F32)";
    case NodeType::kStaticTranspose:
      return "Transpose (ND, " + bits(graph, node) + ")";
    case NodeType::kStaticSlice:
      return "Slice (ND, " + bits(graph, node) + ")";
    case NodeType::kStaticConstantPad:
      return "Constant Pad (ND, " + bits(graph, node) + ")";
    case NodeType::kConcatenate2:
    case NodeType::kConcatenate3:
    case NodeType::kConcatenate4:
    case NodeType::kConcatenate5:
    case NodeType::kCopy:
      return "Copy (NC, " + bits(graph, node) + ")";
    case NodeType::kSoftmax:
      return "Softmax (NC, " + product_types(graph, node) + ")";
    case NodeType::kMaxPooling2d:
      return graph.values[node.inputs[0]].type == DataType::kQint8 ? "Max Pooling (NHWC, S8)"
                                                                   : "Max Pooling (NHWC, F32)";
    case NodeType::kAvgPooling2d:
      return "Average Pooling (NHWC, F32) Average Pooling";
    case NodeType::kArgMaxPooling2d:
      return "ArgMax Pooling (NHWC, F32)";
    case NodeType::kConvert:
      return graph.values[node.output()].type == DataType::kQdint8 ? "Convert (NC, F32, QDU8)"
                                                                   : "Convert (NC)";
    default:
      return plain_name(source.type);
  }
}

}  // namespace etalon::native
