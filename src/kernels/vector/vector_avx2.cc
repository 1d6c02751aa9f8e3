#include "kernels/simd/avx2.h"
#include "kernels/vector/vector_impl.h"

namespace etalon::kernels {

constinit const VectorKernels kVectorAvx2 = ETALON_VECTOR_KERNELS;

}  // namespace etalon::kernels
