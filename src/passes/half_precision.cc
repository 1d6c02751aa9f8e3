#include "passes/half_precision.h"

#include <cstring>

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

void convert_constants(ir::Graph& graph) {
  for (ir::Constant& constant : graph.constants) {
    if (constant.type.dtype != DType::kFloat32) continue;
    constant.data = halved(constant.data.bytes());
    convert_type(constant.type);
  }
}

// A cast to float32 that the model asks for becomes one to float16.
void convert_dtype_arguments(ir::Node& node) {
  for (std::size_t i = 0; i < node.args.size(); ++i) {
    if (node.op->schema.args[i].type != ops::ArgType::kDType) continue;
    auto* number = std::get_if<std::int64_t>(&node.args[i]);
    if (number != nullptr && *number == kFloat32Number) *number = kFloat16Number;
  }
}

}  // namespace

Status convert_to_half(ir::Graph& graph) {
  convert_constants(graph);
  for (ir::Value& value : graph.values) {
    if (value.is_tensor() && value.source != ir::ValueSource::kNode) convert_type(value.tensor());
  }
  for (ir::Node& node : graph.nodes) {
    convert_dtype_arguments(node);
    ETALON_TRY(const std::vector<ir::Type> types, ir::infer_types(graph, *node.op, node.args), "as float16");
    for (std::size_t i = 0; i < node.outs.size(); ++i) graph[node.outs[i]].type = types[i];
  }
  return {};
}

}  // namespace etalon::passes
