#include "kernels/simd/avx512.h"
#include "kernels/vector/vector_impl.h"

namespace etalon::kernels {

constinit const VectorKernels kVectorAvx512 = ETALON_VECTOR_KERNELS;

}  // namespace etalon::kernels
