#include "backends/native/quantised_nodes.h"

#include <cmath>
#include <cstring>

namespace etalon::native {
namespace {

using reference::IntegerRange;
using xnn::DataType;
using xnn::NodeType;

bool is_int8(const Value& value) { return value.type == DataType::kQint8; }

StoredLimits limits_of(const Value& output, const xnn::Node& from) {
  const IntegerRange range = reference::stored_limits(output.tensor_type(), from.output_min, from.output_max);
  return {range.low, range.high};
}

bool same_quantisation(const Value& a, const Value& b) {
  return a.quantisation.scale == b.quantisation.scale && a.quantisation.zero_point == b.quantisation.zero_point;
}

// Weights that are numbers around zero.
bool is_symmetric_filter(const Value& filter) {
  if (!filter.is_constant()) return false;
  return filter.type == DataType::kQcint8 || (filter.type == DataType::kQint8 && filter.quantisation.zero_point == 0);
}

bool has_image_dims(const Graph& graph, const xnn::Node& from, const Node& node) {
  return from.type == NodeType::kFullyConnected || graph.values[node.inputs[0]].dims.size() == 4;
}

std::optional<Params> quantised_conv(const Graph& graph, const xnn::Node& from, const Node& node) {
  const Value& image = graph.values[node.inputs[0]];
  const Value& filter = graph.values[node.inputs[1]];
  const Value& output = graph.values[node.output()];
  const Value* bias = node.inputs[2] == kNoValue ? nullptr : &graph.values[node.inputs[2]];
  if (!is_int8(output) || !requantising_scales(image, filter, output.quantisation.scale)) return std::nullopt;
  if (bias != nullptr && (!bias->is_constant() || bias->is_float())) return std::nullopt;
  if (bias != nullptr && bias->type != DataType::kQint32 && bias->type != DataType::kQcint32) return std::nullopt;
  Qs8Conv conv;
  static_cast<ConvGeometry&>(conv) = geometry_of(from);
  conv.scale = output.quantisation.scale;
  conv.zero_point = output.quantisation.zero_point;
  conv.limits = limits_of(output, from);
  return conv;
}

std::optional<Params> dynamic_conv(const Graph& graph, const xnn::Node& from, const Node& node) {
  const Value& output = graph.values[node.output()];
  const Value* bias = node.inputs[2] == kNoValue ? nullptr : &graph.values[node.inputs[2]];
  if (!output.is_float() || output.payload_type != DataType::kFp32) return std::nullopt;
  if (bias != nullptr && (!bias->is_constant() || !bias->is_float())) return std::nullopt;
  Qd8Conv conv;
  static_cast<ConvGeometry&>(conv) = geometry_of(from);
  conv.min = from.output_min;
  conv.max = from.output_max;
  return conv;
}

std::optional<Params> product(const Graph& graph, const xnn::Node& from, Node& node) {
  if (node.inputs.size() == 2) node.inputs.push_back(kNoValue);
  if (node.inputs.size() != 3 || !has_image_dims(graph, from, node)) return std::nullopt;
  if (!is_symmetric_filter(graph.values[node.inputs[1]])) return std::nullopt;
  const Value& image = graph.values[node.inputs[0]];
  if (is_int8(image)) return quantised_conv(graph, from, node);
  if (image.type == DataType::kQdint8) return dynamic_conv(graph, from, node);
  return std::nullopt;
}

std::optional<Params> convert(const Graph& graph, const Node& node) {
  const Value& from = graph.values[node.inputs[0]];
  const Value& to = graph.values[node.output()];
  if (from.is_float() && from.payload_type == DataType::kFp32) {
    if (is_int8(to)) return Quantise{};
    if (to.type == DataType::kQdint8) return QuantiseRows{};
  }
  if (is_int8(from) && to.is_float() && to.payload_type == DataType::kFp32) return Dequantise{};
  return std::nullopt;
}

std::optional<Params> sum_or_product(const Graph& graph, const xnn::Node& from, const Node& node) {
  const Value& left = graph.values[node.inputs[0]];
  const Value& right = graph.values[node.inputs[1]];
  const Value& output = graph.values[node.output()];
  if (!is_int8(left) || !is_int8(right) || !is_int8(output)) return std::nullopt;
  Qs8Binary params{kernels::Binary::kMultiply, limits_of(output, from)};
  if (from.type == NodeType::kMultiply) {
    if (!product_scale(left.quantisation.scale, right.quantisation.scale, output.quantisation.scale))
      return std::nullopt;
  } else {
    const bool subtracts = from.type == NodeType::kSubtract;
    params.op = subtracts ? kernels::Binary::kSubtract : kernels::Binary::kAdd;
    if (!reference::fixed_point_sum(left.quantisation, right.quantisation, output.quantisation, subtracts))
      return std::nullopt;
  }
  return params;
}

// Nodes that compute each element of their output from the element of their only input at the same place.
bool is_function_of_one(NodeType type) {
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
      return true;
    default:
      return false;
  }
}

// All 256 results of the plain node.
std::optional<Params> table(const Graph& graph, const xnn::Node& from, const Node& node) {
  const Value& input = graph.values[node.inputs[0]];
  const Value& output = graph.values[node.output()];
  if (!is_int8(input) || !is_int8(output)) return std::nullopt;
  Qs8Table params;
  reference::TensorType types[2] = {input.tensor_type(), output.tensor_type()};
  types[0].dims = types[1].dims = Dims{256};
  ByteTable bytes;
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i);
  const reference::TensorRef in{&types[0], reinterpret_cast<std::byte*>(bytes.data())};
  const reference::TensorRef out{&types[1], reinterpret_cast<std::byte*>(params.bytes.data())};
  reference::run_node(from, {&in, 1}, {&out, 1});
  return params;
}

}  // namespace

std::optional<float> product_scale(float left, float right, float output) {
  const float scale = left * right / output;
  return std::isfinite(scale) && scale > 0 ? std::optional(scale) : std::nullopt;
}

std::vector<float> filter_scales(const Value& filter) {
  const auto& q = filter.quantisation;
  std::vector<float> scales(std::max<std::size_t>(q.scales.size() / sizeof(float), 1), q.scale);
  if (!q.scales.empty()) std::memcpy(scales.data(), q.scales.data(), scales.size() * sizeof(float));
  return scales;
}

std::optional<std::vector<float>> requantising_scales(const Value& image, const Value& filter, float output_scale) {
  std::vector<float> scales = filter_scales(filter);
  for (float& scale : scales) {
    const auto scaled = product_scale(image.quantisation.scale, scale, output_scale);
    if (!scaled) return std::nullopt;
    scale = *scaled;
  }
  return scales;
}

ConvGeometry geometry_of(const xnn::Node& from) {
  ConvGeometry out;
  out.is_linear = from.type == NodeType::kFullyConnected;
  out.filter_is_io = out.is_linear && (from.flags & xnn::kTransposeWeights) != 0;
  out.filter_is_hwo = from.type == NodeType::kDepthwiseConv2d;
  if (const auto* geometry = std::get_if<xnn::Conv>(&from.params)) {
    out.kernel_h = geometry->kernel_height;
    out.kernel_w = geometry->kernel_width;
    out.stride_h = geometry->subsampling_height;
    out.stride_w = geometry->subsampling_width;
    out.dilation_h = geometry->dilation_height;
    out.dilation_w = geometry->dilation_width;
    out.pad_top = geometry->padding_top;
    out.pad_left = geometry->padding_left;
    out.groups = geometry->groups;
  }
  return out;
}

Pool max_pool_of(const xnn::Node& from) {
  const auto& pool = std::get<xnn::Pool>(from.params);
  return {true,
          pool.pooling_height,
          pool.pooling_width,
          pool.stride_height,
          pool.stride_width,
          pool.dilation_height,
          pool.dilation_width,
          pool.padding_top,
          pool.padding_left,
          from.output_min,
          from.output_max};
}

std::optional<Params> quantised_params(const Graph& graph, const xnn::Node& from, Node& node) {
  if (node.outputs.size() != 1 || node.inputs.empty() || node.inputs[0] == kNoValue) return std::nullopt;
  const Value& input = graph.values[node.inputs[0]];
  const Value& output = graph.values[node.output()];
  switch (from.type) {
    case NodeType::kConv2d:
    case NodeType::kDepthwiseConv2d:
    case NodeType::kFullyConnected:
      return product(graph, from, node);
    case NodeType::kAdd:
    case NodeType::kSubtract:
    case NodeType::kMultiply:
      return sum_or_product(graph, from, node);
    case NodeType::kGlobalAvgPooling2d:
      if (!is_int8(input) || !is_int8(output) || input.dims.size() != 4) return std::nullopt;
      if (input.dims[1] * input.dims[2] >= 1 << 23) return std::nullopt;
      return Qs8GlobalAverage{limits_of(output, from)};
    case NodeType::kMaxPooling2d:
      if (!is_int8(input) || !is_int8(output) || input.dims.size() != 4) return std::nullopt;
      if (!same_quantisation(input, output)) return std::nullopt;
      return Qs8MaxPool{max_pool_of(from), limits_of(output, from)};
    case NodeType::kConvert:
      if (auto params = convert(graph, node)) return params;
      return table(graph, from, node);
    default:
      return is_function_of_one(from.type) ? table(graph, from, node) : std::nullopt;
  }
}

}  // namespace etalon::native
