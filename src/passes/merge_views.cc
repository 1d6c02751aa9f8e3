// Two views in a row are one: view(view(x)) and permute(permute(x)).
#include <fmt/core.h>

#include "passes/pass.h"

namespace etalon::passes {
namespace {

const ir::Node* producer(const ir::Graph& graph, const ir::Arg& arg) {
  const auto* id = std::get_if<ir::ValueId>(&arg);
  if (id == nullptr || *id == ir::kNoValue || graph[*id].source != ir::ValueSource::kNode) return nullptr;
  return &graph.nodes[graph[*id].source_index];
}

std::vector<std::int64_t> permutation(const ir::Arg& arg) {
  std::vector<std::int64_t> dims;
  const auto& items = std::get<ir::IntItems>(arg);
  for (const ir::IntItem& item : items) {
    dims.push_back(item.value < 0 ? item.value + static_cast<std::int64_t>(items.size()) : item.value);
  }
  return dims;
}

void merge_permutations(const ir::Node& first, ir::Node& second) {
  const std::vector<std::int64_t> inner = permutation(first.args[1]);
  std::vector<std::int64_t> outer = permutation(second.args[1]);
  for (std::int64_t& dim : outer) dim = inner[static_cast<std::size_t>(dim)];
  second.args[0] = first.args[0];
  second.args[1] = ir::literal_ints(outer);
}

// view, squeeze and unsqueeze keep the order of elements, so any of them followed by a view is that view.
bool keeps_elements(const ir::Node& node) {
  return node.op->has(ops::kSameElements) && std::holds_alternative<ir::ValueId>(node.args[0]);
}

Result<std::uint32_t> run(ir::Graph& graph) {
  std::uint32_t merged = 0;
  for (ir::Node& node : graph.nodes) {
    if (node.dead) continue;
    const ir::Node* before = node.args.empty() ? nullptr : producer(graph, node.args[0]);
    if (before == nullptr) continue;
    if (node.op->functional_name == "aten::permute_copy" && before->op == node.op) {
      merge_permutations(*before, node);
      ++merged;
    } else if (node.op->functional_name == "aten::view_copy" && keeps_elements(*before)) {
      node.args[0] = before->args[0];
      ++merged;
    }
  }
  return merged;
}

}  // namespace

extern const Pass kMergeViews;
constinit const Pass kMergeViews{"merge-views", "one view instead of several in a row", run};

}  // namespace etalon::passes
