// Rewrites a graph so that more of it lowers well, without changing what it computes:
// hardswish, hardsigmoid and PReLU are put together again, quantised graphs are made ready (dynamic.h).
#pragma once

#include "base/result.h"
#include "ir/graph.h"

namespace etalon::xnnpack {

// The graph is compact before and afterwards. New nodes carry the debug handles of those they replace.
Status prepare(ir::Graph& graph);

}  // namespace etalon::xnnpack
