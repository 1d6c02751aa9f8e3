#include "kernels/simd/avx2.h"
// The ISA comes first.
#include "kernels/batch_matmul/batch_matmul_impl.h"

namespace etalon::kernels {

extern constinit const BatchMatmulKernel kBatchMatmulAvx2 = batch_matmul("f32_gemm_minmax_ukernel_6x16__fma3", "6x16");

}  // namespace etalon::kernels
