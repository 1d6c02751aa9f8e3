#include "kernels/simd/neon.h"
// The ISA comes first.
#include "kernels/batch_matmul/batch_matmul_impl.h"

namespace etalon::kernels {

extern constinit const BatchMatmulKernel kBatchMatmulNeon = batch_matmul("f32_gemm_minmax_ukernel_8x8__neon", "8x8");

}  // namespace etalon::kernels
