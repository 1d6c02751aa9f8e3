#include "kernels/simd/scalar.h"

#include "kernels/vector/math_impl.h"

#include "kernels/attention/attention_impl.h"

namespace etalon::kernels {

extern constinit const AttentionKernel kAttentionScalar = attention("f32_attention_ukernel_6x2__scalar");

}  // namespace etalon::kernels
