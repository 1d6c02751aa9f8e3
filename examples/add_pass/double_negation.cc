// -(-x) is x. Removing the pair is exact in floating point: negation only flips the sign bit.
#include "passes/pass.h"

namespace etalon::passes {
namespace {

const ir::Node* negation_before(const ir::Graph& graph, const ir::Node& node) {
  const ir::Value& input = graph[std::get<ir::ValueId>(node.args[0])];
  if (input.source != ir::ValueSource::kNode) return nullptr;
  const ir::Node& before = graph.nodes[input.source_index];
  return before.op == node.op ? &before : nullptr;
}

Result<std::uint32_t> run(ir::Graph& graph) {
  std::uint32_t removed = 0;
  for (ir::Node& node : graph.nodes) {
    if (node.dead || node.op->functional_name != "aten::neg") continue;
    const ir::Node* before = negation_before(graph, node);
    if (before == nullptr) continue;
    graph.replace_uses(node.outs[0], std::get<ir::ValueId>(before->args[0]));
    node.dead = true;  // the first one may have other uses; remove-dead-code decides about it
    ++removed;
  }
  return removed;
}

}  // namespace

extern const Pass kDoubleNegation;
constinit const Pass kDoubleNegation{"double-negation", "drop two negations in a row", run};

}  // namespace etalon::passes
