#include "kernels/simd/neon.h"
// The ISA comes first, then what factors are.
#include "kernels/conv2d/pairs_neonbf16_impl.h"

#include "kernels/conv2d/dense_pairs_impl.h"

namespace etalon::kernels {

extern constinit const Conv2dAlgorithm kGemmNeonBf16 =
    pairs_gemm("f32_gemm_bf16_minmax_ukernel_12x8c2__neonbf16", "12x8", Isa::kNeonBf16);
extern constinit const Conv2dAlgorithm kIgemmNeonBf16 =
    pairs_igemm("f32_igemm_bf16_minmax_ukernel_12x8c2__neonbf16", "12x8", Isa::kNeonBf16);

}  // namespace etalon::kernels
