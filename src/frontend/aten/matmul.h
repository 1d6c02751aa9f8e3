// Matrix products that several rules need.
#pragma once

#include "frontend/aten/lowering.h"

namespace etalon::frontend {

// torch.matmul for any ranks.
ValueId matmul_of(Lowering& lo, ValueId a, ValueId b);

// x @ weight.T + bias over the last dim; no bias: kNoValue.
ValueId linear_of(Lowering& lo, ValueId x, ValueId weight, ValueId bias);

}  // namespace etalon::frontend
