// Attention between conversions: q, k and v are looked at as the bytes they are stored as, and so is the result.
#include <array>
#include <optional>
#include <vector>

#include "backends/native/rewrites/rewrite.h"

namespace etalon::native {
namespace {

bool is_view(const Node& node) {
  return node.as<Transpose>() != nullptr || node.as<Reshape>() != nullptr || node.as<Slice>() != nullptr;
}

// An operand, from where it is dequantised to where it is read.
struct Path {
  ValueId stored = kNoValue;
  std::vector<std::size_t> views;  // last one first
};

std::optional<Path> path_of(const Graph& graph, ValueId id) {
  Path path;
  for (;;) {
    const std::size_t producer = graph.producer(id);
    if (producer == Graph::kNone) return std::nullopt;
    const Node& node = graph.nodes[producer];
    if (node.as<Dequantise>() != nullptr) {
      path.stored = node.inputs[0];
      return path;
    }
    if (!is_view(node) || !graph.has_one_user(id)) return std::nullopt;
    path.views.push_back(producer);
    id = node.inputs[0];
  }
}

// The views show the stored bytes instead; gives what the attention reads then.
ValueId show_stored(Graph& graph, const Path& path) {
  ValueId id = path.stored;
  for (auto view = path.views.rbegin(); view != path.views.rend(); ++view) {
    Node& node = graph.nodes[*view];
    Value& seen = graph.values[node.output()];
    seen.type = graph.values[path.stored].type;
    seen.payload_type = graph.values[path.stored].payload_type;
    seen.quantisation = graph.values[path.stored].quantisation;
    node.inputs[0] = id;
    id = node.output();
  }
  return id;
}

}  // namespace

bool quantise_attention(Graph& graph, std::size_t index) {
  Node& node = graph.nodes[index];
  const auto* attention = node.as<Attention>();
  if (attention == nullptr || !graph.has_one_user(node.output())) return false;
  Node& user = graph.nodes[graph.users(node.output())[0]];
  if (user.as<Quantise>() == nullptr) return false;
  std::array<Path, 3> paths;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    const auto path = path_of(graph, node.inputs[i]);
    if (!path) return false;
    paths[i] = *path;
  }
  node.params = Qs8Attention{attention->scale};
  node.label = "Scaled Dot-Product Attention (NHTC, QS8)";
  for (std::size_t i = 0; i < paths.size(); ++i) node.inputs[i] = show_stored(graph, paths[i]);
  node.outputs[0] = user.output();
  absorb(node, user);
  graph.sweep();
  return true;
}

}  // namespace etalon::native
