#include "kernels/simd/avx512.h"
// The ISA comes first.
#include "kernels/conv2d/dense_impl.h"

namespace etalon::kernels {

extern constinit const Conv2dAlgorithm kGemmAvx512 = gemm("f32_gemm_minmax_ukernel_8x32__avx512f", "8x32");
extern constinit const Conv2dAlgorithm kIgemmAvx512 = igemm("f32_igemm_minmax_ukernel_8x32__avx512f", "8x32");

}  // namespace etalon::kernels
