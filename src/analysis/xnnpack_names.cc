#include "analysis/xnnpack_names.h"

namespace etalon::analysis {
namespace {

namespace xnn = formats::xnn;
using xnn::NodeType;

bool is_pointwise(const xnn::Node& node) {
  const auto& conv = std::get<xnn::Conv>(node.params);
  return conv.kernel_height == 1 && conv.kernel_width == 1 && conv.subsampling_height == 1 &&
         conv.subsampling_width == 1 && conv.groups == 1 &&
         (conv.padding_top | conv.padding_left | conv.padding_bottom | conv.padding_right) == 0;
}

}  // namespace

XnnpackKind xnnpack_kind(NodeType type) {
  switch (type) {
    case NodeType::kAbs:
    case NodeType::kCeiling:
    case NodeType::kClamp:
    case NodeType::kConvert:
    case NodeType::kCos:
    case NodeType::kELU:
    case NodeType::kExp:
    case NodeType::kFloor:
    case NodeType::kGelu:
    case NodeType::kHardswish:
    case NodeType::kLeakyReLU:
    case NodeType::kLog:
    case NodeType::kNegate:
    case NodeType::kReciprocalSquareRoot:
    case NodeType::kSigmoid:
    case NodeType::kSin:
    case NodeType::kSquare:
    case NodeType::kSquareRoot:
    case NodeType::kTanh:
      return XnnpackKind::kUnary;
    case NodeType::kAdd:
    case NodeType::kDiv:
    case NodeType::kMaximum:
    case NodeType::kMinimum:
    case NodeType::kMultiply:
    case NodeType::kPReLU:
    case NodeType::kSubtract:
      return XnnpackKind::kBinary;
    default:
      return XnnpackKind::kOther;
  }
}

std::vector<std::string_view> xnnpack_names(const xnn::Node& node) {
  switch (node.type) {
    case NodeType::kConv2d:
      if (is_pointwise(node)) return {"Fully Connected", "Convolution"};
      return {"Convolution"};
    case NodeType::kDepthwiseConv2d:
      return {"Convolution"};
    case NodeType::kConvTranspose2d:
      return {"Deconvolution"};
    case NodeType::kFullyConnected:
      return {"Fully Connected", "Dynamic Fully Connected"};
    case NodeType::kBatchMatrixMultiply:
      return {"Batch Matrix Multiply"};
    case NodeType::kScaledDotProductAttention:
      return {"Scaled Dot-Product Attention"};
    case NodeType::kStaticTranspose:
      return {"Transpose"};
    case NodeType::kStaticReshape:
      return {"Static Reshape", "Copy"};
    case NodeType::kStaticSlice:
      return {"Slice"};
    case NodeType::kStaticConstantPad:
      return {"Constant Pad"};
    case NodeType::kStaticResizeBilinear2D:
      return {"Resize Bilinear"};
    case NodeType::kConcatenate2:
    case NodeType::kConcatenate3:
    case NodeType::kConcatenate4:
    case NodeType::kConcatenate5:
    case NodeType::kCopy:
      return {"Copy", "Concatenate"};
    case NodeType::kAvgPooling2d:
      return {"Average Pooling"};
    case NodeType::kMaxPooling2d:
      return {"Max Pooling"};
    case NodeType::kArgMaxPooling2d:
      return {"ArgMax Pooling"};
    case NodeType::kGlobalAvgPooling2d:
      return {"Mean", "Global Average Pooling", "Sum"};
    case NodeType::kDiv:
      return {"Divide"};
    case NodeType::kHardswish:
      return {"HardSwish"};
    case NodeType::kGelu:
      return {"GELU"};
    case NodeType::kTanh:
      return {"TanH"};
    case NodeType::kSquareRoot:
      return {"Square Root"};
    case NodeType::kReciprocalSquareRoot:
      return {"Reciprocal Square Root"};
    case NodeType::kSin:
      return {"Sine"};
    case NodeType::kCos:
      return {"Cosine"};
    default:
      return {xnn::name_of(node.type)};  // "Add", "Clamp", "Softmax", "LeakyReLU", "ELU"
  }
}

std::string_view xnnpack_label_name(std::string_view label) {
  label = label.substr(0, label.rfind(" #"));
  const std::string_view name = label.substr(0, label.find(" ("));
  const std::string_view types = label.substr(name.size());
  const bool is_dynamic = types.find(", QD") != std::string_view::npos || types.find(", QP") != std::string_view::npos;
  return name == "Convert" && is_dynamic ? kDynamicConvert : name;
}

}  // namespace etalon::analysis
