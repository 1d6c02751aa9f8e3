// Runs a graph on given inputs with the reference kernels, for tests of what importers make. Not for
// products: it knows no memory plan and keeps every value.
#pragma once

#include <map>
#include <vector>

#include "ir/graph.h"

namespace etalon::frontend {

struct HostTensor {
  DType dtype = DType::kFloat32;
  Dims sizes;
  std::vector<std::byte> data;  // in the dim order of the value it is for

  std::vector<float> as_floats() const;
};

// Inputs in the order of graph.inputs, at the upper-bound sizes. Gives all outputs that are tensors, state
// updates first.
Result<std::vector<HostTensor>> interpret(const ir::Graph& graph, const std::vector<HostTensor>& inputs);

}  // namespace etalon::frontend
