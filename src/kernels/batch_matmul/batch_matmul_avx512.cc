#include "kernels/simd/avx512.h"
// The ISA comes first.
#include "kernels/batch_matmul/batch_matmul_impl.h"

namespace etalon::kernels {

extern constinit const BatchMatmulKernel kBatchMatmulAvx512 = batch_matmul("f32_gemm_minmax_ukernel_8x32__avx512f", "8x32");

}  // namespace etalon::kernels
