#include "kernels/attention/attention.h"

namespace etalon::kernels {

#define KERNEL(object) extern const AttentionKernel object;
#include "kernels/attention/attention.def"
#undef KERNEL

const AttentionKernel& attention_kernel(Isa cap, MathMode math, const Machine& machine) {
  static constexpr const AttentionKernel* kKernels[] = {
#define KERNEL(object) &object,
#include "kernels/attention/attention.def"
#undef KERNEL
  };
  return best_within<AttentionKernel>(kKernels, cap, math, machine);
}

}  // namespace etalon::kernels
