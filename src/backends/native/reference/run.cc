#include "backends/native/reference/nodes.h"

namespace etalon::native::reference {

using formats::xnn::NodeType;

void run_node(const formats::xnn::Node& node, std::span<const TensorRef> in, std::span<const TensorRef> out) {
  switch (node.type) {
    case NodeType::kFullyConnected:
    case NodeType::kConv2d:
    case NodeType::kDepthwiseConv2d:
    case NodeType::kConvTranspose2d:
      return run_convolution(node, in, out[0]);
    case NodeType::kAdd:
    case NodeType::kSubtract:
    case NodeType::kMultiply:
    case NodeType::kDiv:
    case NodeType::kMinimum:
    case NodeType::kMaximum:
    case NodeType::kPReLU:
      return run_binary(node, in[0], in[1], out[0]);
    case NodeType::kBatchMatrixMultiply:
      return run_batch_matmul(node, in[0], in[1], out[0]);
    case NodeType::kSoftmax:
      return run_softmax(in[0], out[0]);
    case NodeType::kConvert:
      return run_convert(in[0], out[0]);
    case NodeType::kAvgPooling2d:
      return run_average_pool(node, in[0], out[0]);
    case NodeType::kMaxPooling2d:
      return run_max_pool(node, in[0], out[0]);
    case NodeType::kArgMaxPooling2d:
      return run_arg_max_pool(node, in[0], out[0], out[1]);
    case NodeType::kGlobalAvgPooling2d:
      return run_global_average(node, in[0], out[0]);
    case NodeType::kStaticResizeBilinear2D:
      return run_resize(node, in[0], out[0]);
    case NodeType::kStaticReshape:
    case NodeType::kCopy:
      return run_same_order(in[0], out[0]);
    case NodeType::kStaticTranspose:
      return run_transpose(node, in[0], out[0]);
    case NodeType::kStaticSlice:
      return run_slice(node, in[0], out[0]);
    case NodeType::kStaticConstantPad:
      return run_pad(node, in[0], out[0]);
    case NodeType::kConcatenate2:
    case NodeType::kConcatenate3:
    case NodeType::kConcatenate4:
    case NodeType::kConcatenate5:
      return run_concatenate(node, in, out[0]);
    default:
      return run_unary(node, in[0], out[0]);
  }
}

}  // namespace etalon::native::reference
