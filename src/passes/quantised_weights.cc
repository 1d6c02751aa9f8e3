// Moves what rearranges a quantised weight before its dequantisation, where constant folding computes it on
// the integers: the transposed matrix of a linear layer costs nothing, and backends find a weight that is
// dequantised and nothing else.
#include <algorithm>
#include <optional>

#include "ir/frame.h"
#include "passes/pass.h"

namespace etalon::passes {
namespace {

constexpr std::string_view kPerTensor = "quantized_decomposed::dequantize_per_tensor";
constexpr std::string_view kPerChannel = "quantized_decomposed::dequantize_per_channel";
constexpr std::size_t kAxis = 3;

bool is_constant(const ir::Graph& graph, const ir::Arg& arg) {
  const auto* id = std::get_if<ir::ValueId>(&arg);
  if (id == nullptr) return true;
  const ir::Constant* constant = *id == ir::kNoValue ? nullptr : graph.constant_of(*id);
  return constant != nullptr && !constant->is_state;
}

std::size_t wrapped(std::int64_t dim, std::size_t rank) {
  return static_cast<std::size_t>(dim < 0 ? dim + static_cast<std::int64_t>(rank) : dim);
}

// The dims of the argument as the result has them, of operators that only permute.
std::optional<DimOrder> permutation_of(const ir::Graph& graph, const ir::Node& node) {
  const std::string& op = node.op->functional_name;
  const std::size_t rank = graph[node.outs[0]].tensor().sizes.size();
  DimOrder dims = contiguous_order(rank);
  if (op == "aten::t_copy" && rank == 2) {
    dims = {1, 0};
  } else if (op == "aten::transpose_copy.int" && rank > 0) {
    const std::size_t a = wrapped(std::get<std::int64_t>(node.args[1]), rank);
    const std::size_t b = wrapped(std::get<std::int64_t>(node.args[2]), rank);
    std::swap(*(dims.begin() + a), *(dims.begin() + b));
  } else if (op == "aten::permute_copy") {
    std::size_t i = 0;
    for (const ir::IntItem& item : std::get<ir::IntItems>(node.args[1]))
      *(dims.begin() + i++) = static_cast<std::uint8_t>(wrapped(item.value, rank));
  } else {
    return std::nullopt;
  }
  return dims;
}

// Where the scales' dim goes; nothing for what does not only rearrange.
std::optional<std::int64_t> axis_after(const ir::Graph& graph, const ir::Node& node, std::int64_t axis) {
  const auto dims = permutation_of(graph, node);
  if (!dims) return std::nullopt;
  for (std::size_t i = 0; i < dims->size(); ++i) {
    if (*(dims->begin() + i) == wrapped(axis, dims->size())) return static_cast<std::int64_t>(i);
  }
  return std::nullopt;
}

// rearrange(dequantise(w)) -> dequantise(rearrange(w)), in the places of the two nodes.
bool swap_with(ir::Graph& graph, ir::Node& dequantise, ir::Node& rearrange) {
  const bool by_channel = dequantise.op->functional_name == kPerChannel;
  if (!by_channel && dequantise.op->functional_name != kPerTensor) return false;
  if (!std::ranges::all_of(dequantise.args, [&](const ir::Arg& arg) { return is_constant(graph, arg); }))
    return false;
  const bool is_view =
      rearrange.op->has(ops::kSameElements) && !by_channel && !graph[rearrange.outs[0]].tensor().is_dynamic();
  const auto axis =
      axis_after(graph, rearrange, by_channel ? std::get<std::int64_t>(dequantise.args[kAxis]) : 0);
  if (!is_view && !axis) return false;
  const ir::ValueId between = dequantise.outs[0];
  const ir::ValueId result = rearrange.outs[0];
  std::swap(dequantise.op, rearrange.op);
  std::swap(dequantise.args, rearrange.args);
  // `dequantise` is now the node that rearranges.
  dequantise.args[0] = rearrange.args[0];
  rearrange.args[0] = between;
  if (by_channel) rearrange.args[kAxis] = *axis;
  ir::TensorType stored = graph[result].tensor();
  stored.dtype = graph[std::get<ir::ValueId>(dequantise.args[0])].tensor().dtype;
  graph[between].type = std::move(stored);
  return true;
}

Result<std::uint32_t> run(ir::Graph& graph) {
  const std::vector<std::uint32_t> uses = graph.use_counts();
  std::uint32_t changes = 0;
  for (ir::Node& node : graph.nodes) {
    if (node.dead || node.args.empty() || node.outs.size() != 1) continue;
    const auto* input = std::get_if<ir::ValueId>(&node.args[0]);
    if (input == nullptr || *input == ir::kNoValue || graph[*input].source != ir::ValueSource::kNode)
      continue;
    if (uses[ir::index_of(*input)] != 1) continue;
    changes += swap_with(graph, graph.nodes[graph[*input].source_index], node) ? 1 : 0;
  }
  return changes;
}

}  // namespace

extern const Pass kQuantisedWeights;
constinit const Pass kQuantisedWeights{"quantised-weights", "rearrange quantised weights as integers", run};

}  // namespace etalon::passes
