#include "kernels/simd/avx2.h"
// The ISA comes first.
#include "kernels/conv2d/dense_impl.h"

namespace etalon::kernels {

extern constinit const Conv2dAlgorithm kGemmAvx2 = gemm("f32_gemm_minmax_ukernel_6x16__fma3", "6x16");
extern constinit const Conv2dAlgorithm kIgemmAvx2 = igemm("f32_igemm_minmax_ukernel_6x16__fma3", "6x16");

}  // namespace etalon::kernels
