// float32 graphs computed in float16, as `model.half()` would: parameters, inputs, outputs and everything between.
#pragma once

#include "ir/graph.h"

namespace etalon::passes {

// Runs after the pipeline, so that batch norms are folded in float32 first. Values beyond 65504 become infinite, as in torch.
// Errors: kUnsupported where an operator cannot work on float16.
Status convert_to_half(ir::Graph& graph);

// ExecuTorch's own kernels quantise float32 only and abort on others: what is quantised must be inside of
// delegates. Errors: kUnsupported, naming the first node that is not.
Status check_half_kernels(const ir::Graph& graph);

}  // namespace etalon::passes
