#include "kernels/simd/avx512.h"

#include "kernels/conv2d/pairs_avx512bf16_impl.h"
#include "kernels/vector/math_impl.h"

#include "kernels/attention/attention_impl.h"

namespace etalon::kernels {

extern constinit const AttentionKernel kAttentionAvx512Bf16 =
    attention("f32_attention_bf16_ukernel_14x32c2__avx512bf16", Isa::kAvx512Bf16);

}  // namespace etalon::kernels
