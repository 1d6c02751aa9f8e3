#include "kernels/simd/neon.h"

#include "kernels/vector/math_impl.h"

#include "kernels/attention/attention_impl.h"

namespace etalon::kernels {

extern constinit const AttentionKernel kAttentionNeon = attention("f32_attention_ukernel_14x8__neon");

}  // namespace etalon::kernels
