#include "kernels/simd/avx512.h"
// The ISA comes first, then what factors are.
#include "kernels/conv2d/pairs_avx512bf16_impl.h"

#include "kernels/batch_matmul/batch_matmul_impl.h"

namespace etalon::kernels {

extern constinit const BatchMatmulKernel kBatchMatmulAvx512Bf16 =
    batch_matmul("f32_gemm_bf16_minmax_ukernel_12x32c2__avx512bf16", "12x32", Isa::kAvx512Bf16);

}  // namespace etalon::kernels
