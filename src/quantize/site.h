// Sites: the places of a graph where int8 is possible. A site is an operator of operators.def, or several
// that torch's export took apart (hardswish, hardsigmoid, silu), with the clamp behind them that is computed
// along with them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ir/graph.h"
#include "quantize/params.h"

namespace etalon::quantize {

enum class Role : std::uint8_t {
  kConvolution,  // activation, constant weights [out, in / groups, ...] (transposed: [in, out / groups, ...])
  kLinear,       // activation [rows, in], constant weights [in, out]
  kBinary,       // two activations, or one and a constant
  kUnary,        // one activation; the result has parameters of its own
  kClamp,        // one activation; the result keeps its parameters
  kSame,         // the same, for operators that move, pick or interpolate elements
  kConcat,       // every operand and the result share parameters
};

struct OperatorRule {
  std::string_view op;  // functional name
  Role role;
  std::string_view name;        // for people and --quant-skip
  std::optional<Params> fixed;  // of the result
};

// The row of operators.def; null if the operator computes in float.
const OperatorRule* find_rule(std::string_view functional_name);
std::vector<std::string_view> rule_names();  // every name for people, composites included

struct Site {
  Role role = Role::kUnary;
  std::string_view kind;          // "conv", "hardswish", ...
  std::vector<ir::NodeId> nodes;  // in order; the last one gives the results
  ir::ValueIds inputs;            // activations, each once
  ir::ValueIds outputs;
  ir::ValueId weight = ir::kNoValue;    // kConvolution, kLinear
  ir::ValueId constant = ir::kNoValue;  // kBinary with a constant operand
  std::optional<Params> fixed;
  std::string name;   // of its first result
  std::string clamp;  // the operator fused behind it ("relu"); empty: none
};

// Every site, in order of the first node. A node belongs to at most one. Values that sites read and give are
// float32.
std::vector<Site> find_sites(const ir::Graph& graph);

}  // namespace etalon::quantize
