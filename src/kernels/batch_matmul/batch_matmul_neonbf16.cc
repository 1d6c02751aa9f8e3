#include "kernels/simd/neon.h"
// The ISA comes first, then what factors are.
#include "kernels/conv2d/pairs_neonbf16_impl.h"

#include "kernels/batch_matmul/batch_matmul_impl.h"

namespace etalon::kernels {

extern constinit const BatchMatmulKernel kBatchMatmulNeonBf16 =
    batch_matmul("f32_gemm_bf16_minmax_ukernel_12x8c2__neonbf16", "12x8", Isa::kNeonBf16);

}  // namespace etalon::kernels
