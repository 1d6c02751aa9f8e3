// Filling tensors with one number.
#pragma once

#include "ops/op.h"

namespace etalon::ops {

// Sets every element to `value`, converted to the tensor's dtype as torch does.
void fill_with(const TensorView& tensor, const Scalar& value);

}  // namespace etalon::ops
