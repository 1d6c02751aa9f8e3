// A whole graph through the plain nodes, one after the other, every value in memory of its own. What compiled
// plans are compared with.
#pragma once

#include <map>
#include <vector>

#include "backends/native/reference/reference.h"

namespace etalon::native::reference {

// A tensor with its own bytes. `quantisation` may point into the payload or named data.
struct Tensor {
  TensorType type;
  std::vector<std::byte> bytes;
};

// By external id. Inputs need their dims and bytes; data types and scales are the graph's.
using Tensors = std::map<std::uint32_t, Tensor>;

// Errors: those of check_node(), and kInvalidInput for an input that is missing or too short; all name their
// node.
Result<Tensors> evaluate(const formats::xnn::Graph& graph, const ConstantLookup& lookup,
                         const Tensors& inputs);

}  // namespace etalon::native::reference
