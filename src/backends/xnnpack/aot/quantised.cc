#include "backends/xnnpack/aot/quantised.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "ir/builder.h"

namespace etalon::xnnpack {
namespace {

constexpr std::string_view kQuantise = "quantized_decomposed::quantize_per_tensor";
constexpr std::string_view kDequantise = "quantized_decomposed::dequantize_per_tensor";
constexpr std::string_view kDequantiseTensor = "quantized_decomposed::dequantize_per_tensor.tensor";
constexpr std::string_view kDequantiseChannel = "quantized_decomposed::dequantize_per_channel";

constexpr std::size_t kInput = 0, kScale = 1, kZeroPoint = 2;
constexpr std::size_t kMinOfTensor = 3, kAxis = 3, kMinOfChannel = 4;

bool is_positive(double scale) {
  return std::isfinite(scale) && static_cast<float>(scale) > 0 && std::isfinite(static_cast<float>(scale));
}

std::vector<double> numbers_of(const ir::Constant& constant) {
  std::vector<double> out(static_cast<std::size_t>(numel(constant.type.sizes)));
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = ir::element_as_double(constant, i);
  return out;
}

// An argument that is a number, or a constant tensor; one item per channel.
Result<std::vector<double>> known_numbers(const NodeArgs& args, std::size_t i, std::string_view name) {
  if (!args.has(i)) return std::vector<double>{0.0};  // zero points that are left out
  if (args.is_number(i)) return std::vector<double>{args.number(i)};
  const ir::Constant* constant = args.constant(i);
  if (constant == nullptr) return unsupported(fmt::format("its {} is computed at run time", name));
  return numbers_of(*constant);
}

}  // namespace

bool is_quantise(const ir::Node& node) { return node.op->functional_name == kQuantise; }
bool is_dequantise(const ir::Node& node) { return node.op->functional_name == kDequantise; }

Affine affine_of(const ir::Node& node) {
  const auto number = [&](std::size_t i) {
    if (const auto* v = std::get_if<double>(&node.args[i])) return *v;
    const auto* v = std::get_if<std::int64_t>(&node.args[i]);
    return v != nullptr ? static_cast<double>(*v) : 0.0;
  };
  return {static_cast<float>(number(kScale)), static_cast<std::int32_t>(number(kZeroPoint))};
}

Refused refuse_affine(const ir::Graph& graph, const ir::Node& node) {
  const NodeArgs args(graph, node);
  const ir::TensorType& stored = is_quantise(node) ? args.out_type() : args.type(kInput);
  if (stored.dtype != DType::kInt8) {
    return Refusal{fmt::format("it is quantised to {}, want int8", name_of(stored.dtype)),
                   "quantise activations to int8"};
  }
  const std::int64_t low = args.integer(kMinOfTensor);
  const std::int64_t high = args.integer(kMinOfTensor + 1);
  if (low != -128 || high != 127) {
    return Refusal{fmt::format("its numbers are limited to {}..{}, want -128..127", low, high),
                   "quantise activations to the whole range of int8"};
  }
  if (!is_positive(args.number(kScale))) {
    return Refusal{fmt::format("its scale is {}, want a positive number", args.number(kScale)),
                   "calibrate with data that is neither constant nor NaN"};
  }
  const double zero_point = args.number(kZeroPoint);
  if (zero_point < -128 || zero_point > 127) {
    return Refusal{fmt::format("its zero point is {}, want one in -128..127", zero_point), "calibrate again"};
  }
  return std::nullopt;
}

bool is_weight(const ir::Graph& graph, const ir::Node& node) {
  const std::string& op = node.op->functional_name;
  if (op != kDequantise && op != kDequantiseTensor && op != kDequantiseChannel) return false;
  bool all_known = true;
  for (const ir::Arg& arg : node.args) {
    ir::for_each_value(
        arg, [&](ir::ValueId id) { all_known = all_known && fixed_constant(graph, id) != nullptr; });
  }
  return all_known;
}

const ir::Node* weight_node(const ir::Graph& graph, ir::ValueId id) {
  if (id == ir::kNoValue || graph[id].source != ir::ValueSource::kNode) return nullptr;
  const ir::Node& node = graph.nodes[graph[id].source_index];
  return is_weight(graph, node) ? &node : nullptr;
}

Result<QuantisedWeight> quantised_weight(const ir::Graph& graph, const ir::Node& node) {
  const NodeArgs args(graph, node);
  QuantisedWeight out;
  out.numbers = args.constant(kInput);
  const ir::TensorType& type = out.numbers->type;
  if (type.dtype != DType::kInt8)
    return unsupported(fmt::format("the weight is quantised to {}, want int8", name_of(type.dtype)));
  const bool by_channel = node.op->functional_name == kDequantiseChannel;
  if (by_channel) out.axis = static_cast<int>(args.dim(kAxis, type.sizes.size()));
  const std::size_t low = by_channel ? kMinOfChannel : kMinOfTensor;
  if (args.integer(low) < -128 || args.integer(low + 1) > 127) {
    return unsupported(fmt::format("the weight's numbers reach from {} to {}, want -128..127",
                                   args.integer(low), args.integer(low + 1)));
  }
  ETALON_TRY(const std::vector<double> scales, known_numbers(args, kScale, "scale"));
  ETALON_TRY(const std::vector<double> zero_points, known_numbers(args, kZeroPoint, "zero point"));
  for (std::size_t i = 0; i < scales.size(); ++i) {
    if (!is_positive(scales[i]))
      return unsupported(fmt::format("scale {} of the weight is {}, want a positive number", i, scales[i]));
    out.scales.push_back(static_cast<float>(scales[i]));
  }
  for (const double zero_point : zero_points) {
    if (zero_point != 0)
      return unsupported(fmt::format("the weight has zero point {}, want 0 (symmetric)", zero_point));
  }
  const std::size_t wanted =
      by_channel ? static_cast<std::size_t>(type.sizes[static_cast<std::size_t>(out.axis)]) : 1;
  if (out.scales.size() != wanted)
    return unsupported(fmt::format("the weight has {} scales, want {}", out.scales.size(), wanted));
  return out;
}

}  // namespace etalon::xnnpack
