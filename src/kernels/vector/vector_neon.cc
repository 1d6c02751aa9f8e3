#include "kernels/simd/neon.h"
#include "kernels/vector/vector_impl.h"

namespace etalon::kernels {

constinit const VectorKernels kVectorNeon = ETALON_VECTOR_KERNELS;

}  // namespace etalon::kernels
