#include "kernels/simd/scalar.h"
#include "kernels/vector/vector_impl.h"

namespace etalon::kernels {

constinit const VectorKernels kVectorScalar = ETALON_VECTOR_KERNELS;

}  // namespace etalon::kernels
