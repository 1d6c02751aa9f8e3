#include "kernels/simd/avx512.h"

#include "kernels/vector/math_impl.h"

#include "kernels/attention/attention_impl.h"

namespace etalon::kernels {

extern constinit const AttentionKernel kAttentionAvx512 = attention("f32_attention_ukernel_14x32__avx512f");

}  // namespace etalon::kernels
