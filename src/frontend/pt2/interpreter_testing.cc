#include "frontend/pt2/interpreter_testing.h"

#include <fmt/core.h>

#include <cstring>

#include "ir/builder.h"
#include "ir/frame.h"

namespace etalon::frontend {

std::vector<float> HostTensor::as_floats() const {
  ir::Constant constant{"", ir::TensorType::of(dtype, sizes), ir::Data::owned(data), false, false};
  std::vector<float> out(static_cast<std::size_t>(numel(sizes)));
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = static_cast<float>(ir::element_as_double(constant, i));
  return out;
}

namespace {

HostTensor tensor_of(const ir::Constant& constant) {
  const Bytes bytes = constant.data.bytes();
  return {constant.type.dtype, constant.type.sizes, {bytes.begin(), bytes.end()}};
}

// Results become constants of the graph, so that the next node's arguments are constants too.
void make_constant(ir::Graph& graph, ir::ValueId id, ir::Constant constant) {
  graph[id].source = ir::ValueSource::kConstant;
  graph[id].source_index = static_cast<std::uint32_t>(graph.constants.size());
  graph.constants.push_back(std::move(constant));
}

}  // namespace

Result<std::vector<HostTensor>> interpret(const ir::Graph& source, const std::vector<HostTensor>& inputs) {
  ir::Graph graph = source;
  if (inputs.size() != graph.inputs.size()) {
    return invalid_input(fmt::format("{} inputs are given, want {}", inputs.size(), graph.inputs.size()));
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const ir::Value& value = graph[graph.inputs[i].value];
    if (!value.is_tensor()) continue;
    if (!(value.tensor().sizes == inputs[i].sizes) || value.tensor().dtype != inputs[i].dtype) {
      return invalid_input(fmt::format("input '{}' has other sizes or another dtype", value.name));
    }
    make_constant(graph, graph.inputs[i].value,
                  {value.name, value.tensor(), ir::Data::owned(inputs[i].data), false, false});
  }
  for (ir::Constant& constant : graph.constants) constant.is_state = false;
  for (const ir::Node& node : graph.nodes) {
    if (node.outs.empty() || !graph[node.outs[0]].is_tensor()) continue;
    ETALON_TRY(std::vector<ir::Constant> results, ir::evaluate(graph, node));
    for (std::size_t i = 0; i < results.size(); ++i)
      make_constant(graph, node.outs[i], std::move(results[i]));
  }
  std::vector<HostTensor> outputs;
  for (const ir::Output& output : graph.outputs) {
    const auto* id = std::get_if<ir::ValueId>(&output.value);
    if (id == nullptr || *id == ir::kNoValue || !graph[*id].is_tensor()) continue;
    outputs.push_back(tensor_of(*graph.constant_of(*id)));
  }
  return outputs;
}

}  // namespace etalon::frontend
