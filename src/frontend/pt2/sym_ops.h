// Arithmetic on symbolic sizes, as Python writes it, with ExecuTorch's prim operators.
#pragma once

#include <string_view>
#include <vector>

#include "ir/builder.h"

namespace etalon::frontend {

// `target` is "_operator.mul", "torch.sym_max", "aten::sym_size.int", ... The result is a literal where it is
// static. kUnsupported for targets without a prim operator.
Result<ir::Arg> compute_number(ir::Builder& builder, std::string_view target, std::vector<ir::Arg> args);

}  // namespace etalon::frontend
