// Checks that a graph is well formed: every value defined before use, arguments that fit the schemas, unique names, and
// recorded types equal to what the operators infer. Runs after import and after every pass in tests and with --verify.
#pragma once

#include "ir/graph.h"

namespace etalon::ir {

// kInternal with the first defect found, naming the node. Does not change the graph.
Status verify(const Graph& graph);

}  // namespace etalon::ir
