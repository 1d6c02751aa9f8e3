// What operators are called in events: XNNPACK's names (formats.md 3.4), without the occurrence number.
#pragma once

#include <string>

#include "backends/native/graph.h"

namespace etalon::native {

// `node` is the imported form of `source`; its parameters are set.
std::string label_of(const Graph& graph, const Node& node, const xnn::Node& source);

}  // namespace etalon::native
