#include "backends/native/graph.h"

#include <algorithm>

namespace etalon::native {

void Graph::refresh() {
  producers_.assign(values.size(), kNone);
  users_.assign(values.size(), {});
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    for (const ValueId output : nodes[i].outputs) producers_[output] = i;
    for (const ValueId input : nodes[i].inputs) {
      if (input == kNoValue) continue;
      auto& users = users_[input];
      if (users.empty() || users.back() != i) users.push_back(static_cast<std::uint32_t>(i));
    }
  }
}

bool Graph::has_one_user(ValueId value) const {
  return users_[value].size() == 1 && !values[value].is_output;
}

ValueId Graph::add_value(Value value) {
  values.push_back(std::move(value));
  producers_.push_back(kNone);
  users_.emplace_back();
  return static_cast<ValueId>(values.size() - 1);
}

ValueId Graph::add_internal(const Dims& dims) {
  Value value;
  value.dims = dims;
  return add_value(std::move(value));
}

ValueId Graph::add_internal(const Dims& dims, const Value& like) {
  Value value;
  value.type = like.type;
  value.payload_type = like.payload_type;
  value.quantisation = like.quantisation;
  value.dims = dims;
  return add_value(std::move(value));
}

void Graph::sweep() {
  refresh();
  const auto is_needed = [this](ValueId value) { return values[value].is_output || !users_[value].empty(); };
  // From the back, so that what only fed a dead node dies with it.
  for (std::size_t i = nodes.size(); i-- > 0;) {
    Node& node = nodes[i];
    if (std::any_of(node.outputs.begin(), node.outputs.end(), is_needed)) continue;
    for (const ValueId input : node.inputs) {
      if (input != kNoValue) std::erase(users_[input], static_cast<std::uint32_t>(i));
    }
    node.outputs.clear();
  }
  std::erase_if(nodes, [](const Node& node) { return node.outputs.empty(); });
  refresh();
}

void Graph::replace_uses(ValueId from, ValueId to) {
  for (const std::uint32_t user : users_[from]) {
    std::replace(nodes[user].inputs.begin(), nodes[user].inputs.end(), from, to);
  }
}

void add_origin(Node& node, const Node& other) {
  node.debug_handles.insert(node.debug_handles.end(), other.debug_handles.begin(), other.debug_handles.end());
  node.payload_nodes.insert(node.payload_nodes.end(), other.payload_nodes.begin(), other.payload_nodes.end());
}

void absorb(Node& kept, Node& other) {
  add_origin(kept, other);
  other.debug_handles.clear();
  other.payload_nodes.clear();
  other.outputs.clear();
  other.inputs.clear();
}

const float* scalar_of(const Value& value) {
  if (!value.is_constant() || !value.is_float() || value.elements() != 1) return nullptr;
  return reinterpret_cast<const float*>(value.constant.data());
}

}  // namespace etalon::native
