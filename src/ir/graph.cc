#include "ir/graph.h"

#include <algorithm>

namespace etalon::ir {
namespace {

template <class GraphType, class Visit>
void for_each_use(GraphType& graph, Visit&& visit) {
  for (auto& node : graph.nodes) {
    if (node.dead) continue;
    for (auto& arg : node.args) for_each_value(arg, visit);
  }
  for (auto& output : graph.outputs) for_each_value(output.value, visit);
}

}  // namespace

const ops::Op& call_delegate_op() {
  static const ops::OpDef kDef{.schema = "executorch::call_delegate(int delegate, Tensor[] inputs) -> Tensor[]", .out_name = {}};
  static const ops::Op kOp = [] {
    ops::Op op;
    op.def = &kDef;
    op.schema = ops::parse_schema(kDef.schema).value();
    op.functional_name = "executorch_call_delegate";
    return op;
  }();
  return kOp;
}

const Delegate* delegate_of(const Graph& graph, const std::vector<Arg>& args) {
  const auto* index = args.empty() ? nullptr : std::get_if<std::int64_t>(&args[0]);
  if (index == nullptr || *index < 0 || static_cast<std::size_t>(*index) >= graph.delegates.size()) return nullptr;
  return &graph.delegates[static_cast<std::size_t>(*index)];
}

void number_nodes(Graph& graph) {
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) graph.nodes[n].debug_handles = {static_cast<std::uint32_t>(n + 1)};
}

const Constant* Graph::constant_of(ValueId id) const {
  const Value& value = (*this)[id];
  return value.source == ValueSource::kConstant ? &constants[value.source_index] : nullptr;
}

ValueId Graph::add_input(std::string name, Type type) {
  const auto id = ValueId(values.size());
  values.push_back({name, std::move(type), ValueSource::kInput, static_cast<std::uint32_t>(inputs.size())});
  inputs.push_back({id, std::move(name)});
  return id;
}

ValueId Graph::add_constant(Constant constant) {
  const auto id = ValueId(values.size());
  values.push_back({constant.name, constant.type, ValueSource::kConstant, static_cast<std::uint32_t>(constants.size())});
  constants.push_back(std::move(constant));
  return id;
}

ValueId Graph::add_value(std::string name, Type type, NodeId producer) {
  const auto id = ValueId(values.size());
  values.push_back({std::move(name), std::move(type), ValueSource::kNode, static_cast<std::uint32_t>(producer)});
  return id;
}

void Graph::replace_uses(ValueId from, ValueId to) {
  for_each_use(*this, [&](ValueId& id) {
    if (id == from) id = to;
  });
}

std::vector<std::uint32_t> Graph::use_counts() const {
  std::vector<std::uint32_t> counts(values.size(), 0);
  for_each_use(*this, [&](const ValueId& id) { ++counts[index_of(id)]; });
  return counts;
}

void Graph::compact() {
  std::erase_if(nodes, [](const Node& node) { return node.dead; });
  std::vector<std::uint32_t> uses = use_counts();
  // A state constant stays as long as it is updated, even if nothing reads it.
  std::vector<bool> updated(constants.size(), false);
  for (const Output& output : outputs) {
    if (output.kind == Output::Kind::kStateUpdate) updated[index_of(output.state)] = true;
  }
  std::vector<bool> kept(values.size(), false);
  for (const Input& input : inputs) kept[index_of(input.value)] = true;
  for (const Node& node : nodes) {
    for (const ValueId out : node.outs) kept[index_of(out)] = true;
  }
  std::vector<Constant> kept_constants;
  std::vector<std::uint32_t> new_constant(constants.size(), 0);
  for (std::size_t i = 0; i < values.size(); ++i) {
    Value& value = values[i];
    if (value.source != ValueSource::kConstant) continue;
    if (uses[i] == 0 && !updated[value.source_index]) continue;
    kept[i] = true;
    new_constant[value.source_index] = static_cast<std::uint32_t>(kept_constants.size());
    kept_constants.push_back(std::move(constants[value.source_index]));
  }
  constants = std::move(kept_constants);

  std::vector<ValueId> new_id(values.size(), kNoValue);
  std::vector<Value> kept_values;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!kept[i]) continue;
    new_id[i] = ValueId(kept_values.size());
    if (values[i].source == ValueSource::kConstant) values[i].source_index = new_constant[values[i].source_index];
    kept_values.push_back(std::move(values[i]));
  }
  values = std::move(kept_values);

  const auto renumber = [&](ValueId& id) { id = new_id[index_of(id)]; };
  for_each_use(*this, renumber);
  for (Input& input : inputs) renumber(input.value);
  for (Output& output : outputs) {
    if (output.kind == Output::Kind::kStateUpdate) output.state = ConstantId(new_constant[index_of(output.state)]);
  }
  for (std::size_t n = 0; n < nodes.size(); ++n) {
    for (ValueId& out : nodes[n].outs) {
      renumber(out);
      (*this)[out].source_index = static_cast<std::uint32_t>(n);
    }
  }
}

}  // namespace etalon::ir
