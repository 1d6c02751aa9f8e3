// Prepares quantised graphs for partitioning, without changing what they compute but for where dynamic scales
// are taken from.
#pragma once

#include "base/result.h"
#include "ir/graph.h"

namespace etalon::xnnpack {

// Gives every reader of a dequantised activation a dequantisation of its own, so that int8 crosses borders
// and not floats.
void separate_dequantisations(ir::Graph& graph);

// Products whose input is quantised with scales chosen at run time become dynamic_linear and
// dynamic_convolution (composite.h), whose input is the float tensor. XNNPACK chooses a scale per row (per
// image of a convolution), where `choose_qparams` chooses one per tensor: never less exact, and what
// ExecuTorch does.
void recognise_dynamic(ir::Graph& graph);

}  // namespace etalon::xnnpack
