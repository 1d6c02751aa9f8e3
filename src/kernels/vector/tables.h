// The tables behind vector_kernels(), one object file each.
#pragma once

#include "kernels/vector/vector.h"

namespace etalon::kernels {

extern constinit const VectorKernels kVectorScalar;
#if defined(__x86_64__)
extern constinit const VectorKernels kVectorAvx2;
extern constinit const VectorKernels kVectorAvx512;
#endif
#if defined(__aarch64__)
extern constinit const VectorKernels kVectorNeon;
#endif

}  // namespace etalon::kernels
