#include "kernels/simd/avx2.h"

#include "kernels/vector/math_impl.h"

#include "kernels/attention/attention_impl.h"

namespace etalon::kernels {

extern constinit const AttentionKernel kAttentionAvx2 = attention("f32_attention_ukernel_6x16__fma3");

}  // namespace etalon::kernels
