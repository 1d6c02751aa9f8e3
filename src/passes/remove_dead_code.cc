// Removes nodes whose results nobody uses. Operators have no effect but their results (state updates are outputs), so
// use alone decides; random ones included.
#include "passes/pass.h"

namespace etalon::passes {
namespace {

Result<std::uint32_t> run(ir::Graph& graph) {
  std::vector<std::uint32_t> uses = graph.use_counts();
  std::uint32_t removed = 0;
  for (std::size_t n = graph.nodes.size(); n-- > 0;) {
    ir::Node& node = graph.nodes[n];
    if (node.dead) continue;
    bool used = false;
    for (const ir::ValueId out : node.outs) used = used || uses[ir::index_of(out)] > 0;
    if (used) continue;
    node.dead = true;
    ++removed;
    for (const ir::Arg& arg : node.args) {
      ir::for_each_value(arg, [&](ir::ValueId id) { --uses[ir::index_of(id)]; });
    }
  }
  return removed;
}

}  // namespace

extern const Pass kRemoveDeadCode;
constinit const Pass kRemoveDeadCode{"remove-dead-code", "drop nodes whose results nobody uses", run};

}  // namespace etalon::passes
