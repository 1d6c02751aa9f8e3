#include "kernels/simd/neon.h"
// The ISA comes first, then what factors are.
#include "kernels/conv2d/pairs_neonfp16_impl.h"

#include "kernels/conv2d/dense_pairs_impl.h"

namespace etalon::kernels {

extern constinit const Conv2dAlgorithm kGemmNeonFp16 =
    pairs_gemm("f32_gemm_f16_minmax_ukernel_8x8c2__neonfp16arith", "8x8", Isa::kNeonFp16);
extern constinit const Conv2dAlgorithm kIgemmNeonFp16 =
    pairs_igemm("f32_igemm_f16_minmax_ukernel_8x8c2__neonfp16arith", "8x8", Isa::kNeonFp16);

}  // namespace etalon::kernels
