#include "quantize/composite.h"

#include <algorithm>

namespace etalon::quantize {
namespace {

using ir::NodeId;
using ir::ValueId;

// Follows uses back from the last node, collecting nodes whose only use is the next one.
class Matcher {
 public:
  Matcher(const ir::Graph& graph, const std::vector<std::uint32_t>& uses) : graph_(graph), uses_(uses) {}

  const ir::Node& node(NodeId id) const { return graph_.nodes[ir::index_of(id)]; }

  // The node that computes this argument, if it is one of these operators and is read here only.
  std::optional<NodeId> inner(const ir::Arg& arg, std::initializer_list<std::string_view> ops) const {
    const auto* id = std::get_if<ValueId>(&arg);
    if (id == nullptr || *id == ir::kNoValue || graph_[*id].source != ir::ValueSource::kNode)
      return std::nullopt;
    const NodeId found{graph_[*id].source_index};
    const bool is_wanted = std::ranges::find(ops, node(found).op->functional_name) != ops.end();
    return is_wanted && uses_[ir::index_of(*id)] == 1 ? std::optional(found) : std::nullopt;
  }

  static bool is_number(const ir::Arg& arg, double wanted) {
    if (const auto* real = std::get_if<double>(&arg)) return *real == wanted;
    const auto* whole = std::get_if<std::int64_t>(&arg);
    return whole != nullptr && static_cast<double>(*whole) == wanted;
  }

  // clamp(x + 3, 0, 6)
  struct Gate {
    NodeId add, clamp;
    ValueId x;
  };
  std::optional<Gate> gate(const ir::Arg& arg) const {
    const auto clamp = inner(arg, {"aten::clamp", "aten::hardtanh"});
    if (!clamp || !is_number(node(*clamp).args[1], 0) || !is_number(node(*clamp).args[2], 6))
      return std::nullopt;
    const auto add = inner(node(*clamp).args[0], {"aten::add.Scalar"});
    if (!add || !is_number(node(*add).args[1], 3) || !is_number(node(*add).args[2], 1)) return std::nullopt;
    return Gate{*add, *clamp, std::get<ValueId>(node(*add).args[0])};
  }

  // x * clamp(x + 3, 0, 6) / 6 and clamp(x + 3, 0, 6) / 6
  std::optional<Composite> hard(NodeId last) const {
    if (node(last).op->functional_name != "aten::div.Scalar" || !is_number(node(last).args[1], 6))
      return std::nullopt;
    if (const auto found = gate(node(last).args[0]))
      return Composite{"hardsigmoid", {found->add, found->clamp, last}, found->x};
    const auto product = inner(node(last).args[0], {"aten::mul.Tensor"});
    if (!product) return std::nullopt;
    for (const std::size_t side : {std::size_t{0}, std::size_t{1}}) {
      const auto found = gate(node(*product).args[side]);
      if (found && is_value(node(*product).args[1 - side], found->x)) {
        return Composite{"hardswish", {found->add, found->clamp, *product, last}, found->x};
      }
    }
    return std::nullopt;
  }

  // x * sigmoid(x)
  std::optional<Composite> silu(NodeId last) const {
    if (node(last).op->functional_name != "aten::mul.Tensor") return std::nullopt;
    for (const std::size_t side : {std::size_t{0}, std::size_t{1}}) {
      const auto gate = inner(node(last).args[side], {"aten::sigmoid"});
      if (gate && is_value(node(last).args[1 - side], std::get<ValueId>(node(*gate).args[0]))) {
        return Composite{"silu", {*gate, last}, std::get<ValueId>(node(*gate).args[0])};
      }
    }
    return std::nullopt;
  }

 private:
  static bool is_value(const ir::Arg& arg, ValueId id) {
    const auto* found = std::get_if<ValueId>(&arg);
    return found != nullptr && *found == id;
  }

  const ir::Graph& graph_;
  const std::vector<std::uint32_t>& uses_;
};

}  // namespace

std::optional<Composite> match_composite(const ir::Graph& graph, const std::vector<std::uint32_t>& uses,
                                         NodeId last) {
  const Matcher matcher(graph, uses);
  if (auto found = matcher.hard(last)) return found;
  return matcher.silu(last);
}

}  // namespace etalon::quantize
