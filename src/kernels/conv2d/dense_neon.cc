#include "kernels/simd/neon.h"
// The ISA comes first.
#include "kernels/conv2d/dense_impl.h"

namespace etalon::kernels {

extern constinit const Conv2dAlgorithm kGemmNeon = gemm("f32_gemm_minmax_ukernel_8x8__neon", "8x8");
extern constinit const Conv2dAlgorithm kIgemmNeon = igemm("f32_igemm_minmax_ukernel_8x8__neon", "8x8");

}  // namespace etalon::kernels
