// Views: reshapes and transposes that change nothing go, neighbours become one, and elementwise work is done
// before a view instead of after it, so that it meets the product whose epilogue it can become.
#include <algorithm>

#include "backends/native/rewrites/rewrite.h"

namespace etalon::native {
namespace {

bool is_identity(const Graph& graph, const Node& node) {
  const Dims& in = graph.values[node.inputs[0]].dims;
  const Dims& out = graph.values[node.output()].dims;
  if (node.as<Reshape>() != nullptr || node.as<Slice>() != nullptr) return in == out;
  if (const auto* transpose = node.as<Transpose>()) {
    for (std::size_t i = 0; i < transpose->perm.size(); ++i) {
      if (transpose->perm[i] != i) return false;
    }
    return true;
  }
  const auto* unary = node.as<Unary>();
  return unary != nullptr && unary->op == kernels::Unary::kClamp && unary->params.min == -__builtin_inff() &&
         unary->params.max == __builtin_inff();
}

bool is_view(const Node& node) { return node.as<Reshape>() != nullptr || node.as<Transpose>() != nullptr; }

// A number, or a row-independent constant that looks the same whatever the view.
bool is_number(const Graph& graph, ValueId id) {
  return graph.values[id].elements() == 1 && (graph.values[id].is_constant() || graph.values[id].is_input);
}

// Which input of an elementwise node carries its tensor; kNone if more than one does.
std::size_t tensor_input(const Graph& graph, const Node& node) {
  if (node.as<Unary>() != nullptr || node.as<Quantise>() != nullptr || node.as<Qs8Table>() != nullptr) return 0;
  if (node.as<Binary>() == nullptr) return Graph::kNone;
  if (is_number(graph, node.inputs[1])) return 0;
  return is_number(graph, node.inputs[0]) ? 1 : Graph::kNone;
}

}  // namespace

bool drop_identity(Graph& graph, std::size_t index) {
  Node& node = graph.nodes[index];
  const bool may_be = is_view(node) || node.as<Slice>() != nullptr || node.as<Unary>() != nullptr;
  if (!may_be || graph.values[node.output()].is_output || !is_identity(graph, node)) return false;
  graph.replace_uses(node.output(), node.inputs[0]);
  node.outputs.clear();
  graph.sweep();
  return true;
}

// A transpose that only moves dims of size one is a reshape.
bool replace_idle_transpose(Graph& graph, std::size_t index) {
  Node& node = graph.nodes[index];
  const auto* transpose = node.as<Transpose>();
  if (transpose == nullptr) return false;
  const Dims& in = graph.values[node.inputs[0]].dims;
  std::uint32_t last = 0;
  for (const std::uint32_t dim : transpose->perm) {
    if (in[dim] == 1) continue;
    if (dim < last) return false;
    last = dim;
  }
  node.params = Reshape{};
  return true;
}

bool merge_views(Graph& graph, std::size_t index) {
  Node& node = graph.nodes[index];
  if (!is_view(node)) return false;
  if (node.as<Reshape>() != nullptr) {
    const Node* before = graph.producer_as<Reshape>(node.inputs[0]);
    if (before == nullptr) return false;
    node.inputs[0] = before->inputs[0];
    graph.sweep();
    return true;
  }
  const Node* before = graph.producer_as<Transpose>(node.inputs[0]);
  if (before == nullptr) return false;
  auto& perm = node.as<Transpose>()->perm;
  for (std::uint32_t& dim : perm) dim = before->as<Transpose>()->perm[dim];
  node.inputs[0] = before->inputs[0];
  graph.sweep();
  return true;
}

// elementwise(view(x)) -> view(elementwise(x))
bool sink_view(Graph& graph, std::size_t index) {
  Node& node = graph.nodes[index];
  const std::size_t slot = tensor_input(graph, node);
  if (slot == Graph::kNone) return false;
  const ValueId seen = node.inputs[slot];
  if (!graph.has_one_user(seen) || graph.producer(seen) == Graph::kNone) return false;
  Node& view = graph.nodes[graph.producer(seen)];
  if (!is_view(view) || graph.values[seen].dims != graph.values[node.output()].dims) return false;
  const ValueId base = view.inputs[0];
  // A number keeps any rank; one of more dims than the base would raise the rank of the result.
  for (const ValueId input : node.inputs) {
    if (graph.values[input].dims.size() > graph.values[base].dims.size()) return false;
  }
  const ValueId result = node.output();
  const ValueId inner = graph.add_internal(graph.values[base].dims, Value(graph.values[result]));
  node.inputs[slot] = base;
  node.outputs[0] = inner;
  view.inputs[0] = inner;
  view.outputs[0] = result;
  std::swap(node, view);
  // The elementwise node now stands where the view stood; its other operand is a number, known from the
  // start.
  graph.refresh();
  return true;
}

}  // namespace etalon::native
