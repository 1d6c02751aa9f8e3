#include "kernels/simd/neon.h"
// The ISA comes first, then what factors are.
#include "kernels/conv2d/pairs_neonfp16_impl.h"

#include "kernels/batch_matmul/batch_matmul_impl.h"

namespace etalon::kernels {

extern constinit const BatchMatmulKernel kBatchMatmulNeonFp16 =
    batch_matmul("f32_gemm_f16_minmax_ukernel_8x8c2__neonfp16arith", "8x8", Isa::kNeonFp16);

}  // namespace etalon::kernels
