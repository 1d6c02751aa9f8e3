#include "kernels/qs8_attention/qs8_attention.h"

namespace etalon::kernels {

#define KERNEL(object) extern const Qs8AttentionKernel object;
#include "kernels/qs8_attention/qs8_attention.def"
#undef KERNEL

const Qs8AttentionKernel& qs8_attention_kernel(Isa cap) {
  static constexpr const Qs8AttentionKernel* kKernels[] = {
#define KERNEL(object) &object,
#include "kernels/qs8_attention/qs8_attention.def"
#undef KERNEL
  };
  return best_within<Qs8AttentionKernel>(kKernels, cap);
}

}  // namespace etalon::kernels
