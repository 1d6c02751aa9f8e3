#include "kernels/simd/neon.h"

#include "kernels/conv2d/pairs_neonbf16_impl.h"
#include "kernels/vector/math_impl.h"

#include "kernels/attention/attention_impl.h"

namespace etalon::kernels {

extern constinit const AttentionKernel kAttentionNeonBf16 =
    attention("f32_attention_bf16_ukernel_14x8c2__neonbf16", Isa::kNeonBf16);

}  // namespace etalon::kernels
