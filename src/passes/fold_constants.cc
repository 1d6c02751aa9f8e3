// Computes at export what depends on constants only: transposed weights, masks, position tables.
//
// A result may replace its node if the file does not grow much by it: results up to kAlwaysFold bytes, or not larger
// than the constants they come from. `zeros(1, 64, 56, 56)` stays an operator. Quantised weights stay integers: they are four
// times smaller, and backends compute with them.
#include <algorithm>

#include "ir/frame.h"
#include "passes/pass.h"

namespace etalon::passes {
namespace {

constexpr std::int64_t kAlwaysFold = 16 * 1024;

// Bytes of the constants a node reads, or -1 if it reads anything else.
std::int64_t constant_bytes(const ir::Graph& graph, const ir::Node& node) {
  std::int64_t bytes = 0;
  for (const ir::Arg& arg : node.args) {
    ir::for_each_value(arg, [&](ir::ValueId id) {
      const ir::Constant* constant = graph.constant_of(id);
      if (constant == nullptr || constant->is_state) {
        bytes = -1;
      } else if (bytes >= 0) {
        bytes += constant->type.nbytes();
      }
    });
  }
  return bytes;
}

bool foldable(const ir::Graph& graph, const ir::Node& node) {
  constexpr std::uint32_t kNever = ops::kRandom | ops::kMutatesSelf | ops::kPrim;
  if (node.dead || (node.op->def->traits & kNever) != 0) return false;
  if (node.op->functional_name.starts_with("quantized_decomposed::dequantize_")) return false;
  const std::int64_t input_bytes = constant_bytes(graph, node);
  if (input_bytes < 0) return false;
  std::int64_t output_bytes = 0;
  for (const ir::ValueId out : node.outs) {
    if (!graph[out].is_tensor() || graph[out].tensor().is_dynamic()) return false;
    output_bytes += graph[out].tensor().nbytes();
  }
  return output_bytes <= std::max(kAlwaysFold, input_bytes);
}

// What is made from a parameter still counts as one.
bool reads_parameter(const ir::Graph& graph, const ir::Node& node) {
  bool found = false;
  for (const ir::Arg& arg : node.args) {
    ir::for_each_value(arg, [&](ir::ValueId id) {
      const ir::Constant* constant = graph.constant_of(id);
      found = found || (constant != nullptr && constant->is_parameter);
    });
  }
  return found;
}

Result<std::uint32_t> run(ir::Graph& graph) {
  std::uint32_t folded = 0;
  for (ir::Node& node : graph.nodes) {
    if (!foldable(graph, node)) continue;
    auto results = ir::evaluate(graph, node);
    // A kernel that refuses (an index out of range, say) will refuse at run time too, where the user expects it.
    if (!results.ok()) continue;
    const bool from_parameter = reads_parameter(graph, node);
    const ir::ValueIds outs = node.outs;
    for (std::size_t i = 0; i < outs.size(); ++i) {
      ir::Value& value = graph[outs[i]];
      // The node's value itself becomes the constant: its uses need no change.
      value.source = ir::ValueSource::kConstant;
      value.source_index = static_cast<std::uint32_t>(graph.constants.size());
      (*results)[i].is_parameter = from_parameter;
      graph.constants.push_back(std::move((*results)[i]));
    }
    node.outs.clear();
    node.dead = true;
    ++folded;
  }
  return folded;
}

}  // namespace

extern const Pass kFoldConstants;
constinit const Pass kFoldConstants{"fold-constants", "compute at export what depends on constants only", run};

}  // namespace etalon::passes
