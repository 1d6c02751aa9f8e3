// Drops operators that give back their input unchanged: clones, casts to the same dtype, views and expansions to the
// same shape, slices of everything, permutations that move nothing.
//
// A copy stays where it is the difference between an output and an input, constant or state: the caller may write to
// what it gets, and a state must not be handed out before its update.
#include <algorithm>
#include <string_view>

#include "passes/pass.h"

namespace etalon::passes {
namespace {

constexpr std::string_view kCopies[] = {
    "aten::clone", "aten::alias_copy", "aten::detach_copy", "aten::lift_fresh_copy", "aten::view_copy",
    "aten::expand_copy", "aten::permute_copy", "aten::slice_copy.Tensor", "aten::_to_copy", "aten::squeeze_copy.dims",
    "aten::squeeze_copy.dim", "aten::constant_pad_nd", "aten::repeat", "aten::narrow_copy", "dim_order_ops::_to_dim_order_copy",
    "dim_order_ops::_clone_dim_order"};

bool is_identity_permutation(const ir::Arg& arg) {
  const auto* dims = std::get_if<ir::IntItems>(&arg);
  if (dims == nullptr) return false;
  const auto rank = static_cast<std::int64_t>(dims->size());
  for (std::int64_t i = 0; i < rank; ++i) {
    const std::int64_t dim = (*dims)[static_cast<std::size_t>(i)].value;
    if ((dim < 0 ? dim + rank : dim) != i) return false;
  }
  return true;
}

// Equal types prove the copy idle for all of kCopies but permutations (square matrices) and padding (negative pads
// that cut one side and extend another).
bool gives_its_input(const ir::Graph& graph, const ir::Node& node) {
  if (std::ranges::find(kCopies, std::string_view(node.op->functional_name)) == std::end(kCopies)) return false;
  const auto* input = std::get_if<ir::ValueId>(&node.args[0]);
  if (input == nullptr || *input == ir::kNoValue || node.outs.size() != 1) return false;
  if (!(graph[*input].type == graph[node.outs[0]].type)) return false;
  if (node.op->functional_name == "aten::permute_copy") return is_identity_permutation(node.args[1]);
  if (node.op->functional_name == "aten::slice_copy.Tensor") return !graph[*input].tensor().is_dynamic();
  if (node.op->functional_name == "aten::constant_pad_nd") {
    const auto& pads = std::get<ir::IntItems>(node.args[1]);
    return std::ranges::all_of(pads, [](const ir::IntItem& pad) { return pad.symbol == ir::kNoValue && pad.value == 0; });
  }
  return true;
}

bool is_output(const ir::Graph& graph, ir::ValueId id) {
  return std::ranges::any_of(graph.outputs, [&](const ir::Output& output) {
    const auto* value = std::get_if<ir::ValueId>(&output.value);
    return value != nullptr && *value == id;
  });
}

Result<std::uint32_t> run(ir::Graph& graph) {
  std::uint32_t removed = 0;
  for (ir::Node& node : graph.nodes) {
    if (node.dead || !gives_its_input(graph, node)) continue;
    const ir::ValueId input = std::get<ir::ValueId>(node.args[0]);
    if (graph[input].source != ir::ValueSource::kNode && is_output(graph, node.outs[0])) continue;
    graph.replace_uses(node.outs[0], input);
    node.dead = true;
    ++removed;
  }
  return removed;
}

}  // namespace

extern const Pass kRemoveNoOps;
constinit const Pass kRemoveNoOps{"remove-no-ops", "drop copies, casts and views that change nothing", run};

}  // namespace etalon::passes
