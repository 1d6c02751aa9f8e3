// Which operators XNNPACK runs for a payload, and which nodes of the payload each stands for.
//
// When XNNPACK loads a graph it folds clamps and paddings into their neighbours, makes tables of chains between
// 8-bit numbers, joins reshapes and drops transposes that a product can do without; its profile then names only what is
// left. This repeats those steps (XNNPACK's src/subgraph.c, xnn_subgraph_optimize, of early 2026) on the decoded
// payload, so that the events of a delegate can be held against it. Pure function, thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "formats/xnn/xnn.h"

namespace etalon::analysis {

struct XnnpackOperator {
  // How its label may begin, up to the parenthesis: "Convolution"; a 1x1 convolution may also be a "Fully Connected".
  std::vector<std::string_view> names;
  std::vector<std::size_t> nodes;  // places in Graph::nodes, ascending
  // Set where some machines do it inside of its first user (place in the result): the quantisation of a product's input.
  std::optional<std::size_t> folds_into;
};

// In the order of execution.
std::vector<XnnpackOperator> xnnpack_operators(const formats::xnn::Graph& graph);

}  // namespace etalon::analysis
