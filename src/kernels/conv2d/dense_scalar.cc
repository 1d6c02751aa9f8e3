#include "kernels/simd/scalar.h"
// The ISA comes first.
#include "kernels/conv2d/dense_impl.h"

namespace etalon::kernels {

extern constinit const Conv2dAlgorithm kGemmScalar = gemm("f32_gemm_minmax_ukernel_3x4__scalar", "3x4");
extern constinit const Conv2dAlgorithm kIgemmScalar = igemm("f32_igemm_minmax_ukernel_3x4__scalar", "3x4");

}  // namespace etalon::kernels
