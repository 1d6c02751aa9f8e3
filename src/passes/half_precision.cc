#include "passes/half_precision.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "ir/frame.h"
#include "tensor/half.h"

namespace etalon::passes {
namespace {

constexpr auto kFloat32Number = static_cast<std::int64_t>(DType::kFloat32);
constexpr auto kFloat16Number = static_cast<std::int64_t>(DType::kFloat16);

void convert_type(ir::TensorType& type) {
  if (type.dtype == DType::kFloat32) type.dtype = DType::kFloat16;
}

ir::Data halved(Bytes bytes) {
  const std::size_t count = bytes.size() / sizeof(float);
  std::vector<std::byte> out(count * sizeof(Half));
  for (std::size_t i = 0; i < count; ++i) {
    float value;
    std::memcpy(&value, bytes.data() + i * sizeof(float), sizeof(float));
    const Half half(value);
    std::memcpy(out.data() + i * sizeof(Half), &half, sizeof(Half));
  }
  return ir::Data::owned(std::move(out));
}

bool is_quantisation(const ir::Node& node) {
  return node.op->functional_name.starts_with("quantized_decomposed::");
}

// By constant: true of the scales of quantised tensors, which stay what they are.
std::vector<bool> find_scales(const ir::Graph& graph) {
  std::vector<bool> out(graph.constants.size(), false);
  for (const ir::Node& node : graph.nodes) {
    if (!is_quantisation(node)) continue;
    for (std::size_t i = 1; i < node.args.size(); ++i) {
      ir::for_each_value(node.args[i], [&](ir::ValueId id) {
        if (graph[id].source == ir::ValueSource::kConstant) out[graph[id].source_index] = true;
      });
    }
  }
  return out;
}

void convert_constants(ir::Graph& graph, const std::vector<bool>& kept) {
  for (std::size_t c = 0; c < graph.constants.size(); ++c) {
    ir::Constant& constant = graph.constants[c];
    if (constant.type.dtype != DType::kFloat32 || kept[c]) continue;
    constant.data = halved(constant.data.bytes());
    convert_type(constant.type);
  }
}

// A cast to float32 that the model asks for becomes one to float16.
void convert_dtype_arguments(ir::Node& node) {
  for (std::size_t i = 0; i < node.args.size(); ++i) {
    if (node.op->schema.args[i].type != ops::ArgType::kDType) continue;
    // What is dequantised without saying to what becomes float32.
    const bool is_unsaid = is_quantisation(node) && node.op->schema.args[i].name == "out_dtype" &&
                           std::holds_alternative<std::monostate>(node.args[i]);
    if (is_unsaid) node.args[i] = kFloat16Number;
    auto* number = std::get_if<std::int64_t>(&node.args[i]);
    if (number != nullptr && *number == kFloat32Number) *number = kFloat16Number;
  }
}

}  // namespace

Status convert_to_half(ir::Graph& graph) {
  const std::vector<bool> scales = find_scales(graph);
  convert_constants(graph, scales);
  for (ir::Value& value : graph.values) {
    const bool is_kept = value.source == ir::ValueSource::kConstant && scales[value.source_index];
    if (value.is_tensor() && value.source != ir::ValueSource::kNode && !is_kept) convert_type(value.tensor());
  }
  for (ir::Node& node : graph.nodes) {
    convert_dtype_arguments(node);
    ETALON_TRY(const std::vector<ir::Type> types, ir::infer_types(graph, *node.op, node.args), "as float16");
    for (std::size_t i = 0; i < node.outs.size(); ++i) graph[node.outs[i]].type = types[i];
  }
  return {};
}

Status check_half_kernels(const ir::Graph& graph) {
  const auto is_half = [&](ir::ValueId id) {
    return graph[id].is_tensor() && graph[id].tensor().dtype == DType::kFloat16;
  };
  for (const ir::Node& node : graph.nodes) {
    if (!is_quantisation(node)) continue;
    bool found = std::ranges::any_of(node.outs, is_half);
    for (const ir::Arg& arg : node.args)
      ir::for_each_value(arg, [&](ir::ValueId id) { found = found || is_half(id); });
    if (!found) continue;
    return unsupported(
        fmt::format("{} ({}) is outside of delegates and works on float16, for which ExecuTorch has no "
                    "kernel; use --backend xnnpack, "
                    "or --dtype fp32",
                    node.op->functional_name, graph[node.outs[0]].name));
  }
  return {};
}

}  // namespace etalon::passes
