// Lowering: how one operator becomes nodes of a payload, and what keeps it from that. One file per operator family in
// lowerings/, its rows listed in lowerings.def.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "ir/graph.h"

namespace etalon::xnnpack {

class PayloadBuilder;

// Why a node stays outside, as a person wants to read it.
struct Refusal {
  std::string constraint;  // what failed, with found and wanted
  std::string remedy;      // the smallest change that would help; empty if there is none
};
using Refused = std::optional<Refusal>;

// A node's arguments by position in the functional schema. Reads only what refuse() has checked.
class NodeArgs {
 public:
  NodeArgs(const ir::Graph& graph, const ir::Node& node) : graph_(graph), node_(node) {}

  const ir::Graph& graph() const { return graph_; }
  const ir::Node& node() const { return node_; }
  ir::ValueId out(std::size_t i = 0) const { return node_.outs[i]; }
  const ir::TensorType& out_type(std::size_t i = 0) const { return graph_[node_.outs[i]].tensor(); }

  bool has(std::size_t i) const;
  bool is_value(std::size_t i) const { return std::holds_alternative<ir::ValueId>(node_.args[i]); }
  ir::ValueId value(std::size_t i) const { return std::get<ir::ValueId>(node_.args[i]); }
  const ir::TensorType& type(std::size_t i) const { return graph_[value(i)].tensor(); }
  const ir::ValueIds& values(std::size_t i) const { return std::get<ir::ValueIds>(node_.args[i]); }
  // The constant behind a tensor argument; null if it is computed, absent, or state.
  const ir::Constant* constant(std::size_t i) const;
  // True of a constant, and of a quantised weight that is made floats.
  bool is_fixed(std::size_t i) const;
  bool flag(std::size_t i) const;
  std::int64_t integer(std::size_t i) const;
  double number(std::size_t i) const;
  bool is_number(std::size_t i) const;
  std::string_view text(std::size_t i) const;
  std::vector<std::int64_t> ints(std::size_t i) const;  // symbols read as -1
  std::size_t dim(std::size_t i, std::size_t rank) const;  // counted from the front

 private:
  const ir::Graph& graph_;
  const ir::Node& node_;
};

struct Lowering {
  std::string_view op;  // functional name
  // Nothing if lower() will succeed. Dtypes, ranks up to six and sizes above zero of all tensors are checked already.
  Refused (*refuse)(const NodeArgs& args);
  Status (*lower)(PayloadBuilder& builder, const NodeArgs& args);
  bool any_dtype = false;  // refuse() checks the dtypes too
};
using LoweringFamily = std::span<const Lowering>;

// Null if no lowering knows the operator.
const Lowering* find_lowering(const ir::Node& node);
// Everything that keeps a node outside, checked in the order in which a person would fix it.
// `uses` is graph.use_counts().
Refused refuse(const ir::Graph& graph, const ir::Node& node, const std::vector<std::uint32_t>& uses);

// The constant a value stands for; null for state.
const ir::Constant* fixed_constant(const ir::Graph& graph, ir::ValueId id);
// "f32[1, 3, 8, 8]"
std::string describe(const ir::TensorType& type);

inline Refused accept(const NodeArgs&) { return std::nullopt; }

}  // namespace etalon::xnnpack
