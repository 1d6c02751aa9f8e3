#include "kernels/simd/scalar.h"
// The ISA comes first.
#include "kernels/batch_matmul/batch_matmul_impl.h"

namespace etalon::kernels {

extern constinit const BatchMatmulKernel kBatchMatmulScalar = batch_matmul("f32_gemm_minmax_ukernel_3x4__scalar", "3x4");

}  // namespace etalon::kernels
