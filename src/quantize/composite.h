// Functions that torch's export takes apart into several operators, recognised so that int8 goes around them
// and not into them.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "ir/graph.h"

namespace etalon::quantize {

struct Composite {
  std::string_view kind;          // "hardswish", "hardsigmoid", "silu"
  std::vector<ir::NodeId> nodes;  // in order
  ir::ValueId input = ir::kNoValue;
};

// The composite whose last node is `last`. `uses` are the graph's use counts.
std::optional<Composite> match_composite(const ir::Graph& graph, const std::vector<std::uint32_t>& uses,
                                         ir::NodeId last);

}  // namespace etalon::quantize
