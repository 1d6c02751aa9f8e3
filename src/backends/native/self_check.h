// A last check before an instruction set is used that few machines have: do its kernels compute what scalar code does?
#pragma once

#include "kernels/conv2d/conv2d.h"
#include "kernels/isa.h"

namespace etalon::native {

// Runs every dense convolution algorithm of exactly this ISA, for float32 and for int8, on one small product and compares
// with the scalar one. The CPU must be able to run it. Takes some ten microseconds; thread-safe.
bool agrees_with_scalar(kernels::Isa isa, const kernels::Machine& machine);

}  // namespace etalon::native
