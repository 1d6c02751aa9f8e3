// The tables behind qs8_vector_kernels(), one object file each.
#pragma once

#include "kernels/qs8_vector/qs8_vector.h"

namespace etalon::kernels {

extern constinit const Qs8VectorKernels kQs8VectorScalar;
#if defined(__x86_64__)
extern constinit const Qs8VectorKernels kQs8VectorAvx2;
extern constinit const Qs8VectorKernels kQs8VectorAvx512;
extern constinit const Qs8VectorKernels kQs8VectorAvx512Vnni;
#endif
#if defined(__aarch64__)
extern constinit const Qs8VectorKernels kQs8VectorNeon;
#endif

}  // namespace etalon::kernels
