#include "kernels/simd/avx512.h"
// The ISA comes first, then what factors are.
#include "kernels/conv2d/pairs_avx512bf16_impl.h"

#include "kernels/conv2d/dense_pairs_impl.h"

namespace etalon::kernels {

extern constinit const Conv2dAlgorithm kGemmAvx512Bf16 =
    pairs_gemm("f32_gemm_bf16_minmax_ukernel_12x32c2__avx512bf16", "12x32", Isa::kAvx512Bf16);
extern constinit const Conv2dAlgorithm kIgemmAvx512Bf16 =
    pairs_igemm("f32_igemm_bf16_minmax_ukernel_12x32c2__avx512bf16", "12x32", Isa::kAvx512Bf16);

}  // namespace etalon::kernels
