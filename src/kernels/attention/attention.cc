#include "kernels/attention/attention.h"

#include <iterator>

namespace etalon::kernels {

#define KERNEL(object) extern const AttentionKernel object;
#include "kernels/attention/attention.def"
#undef KERNEL

const AttentionKernel& attention_kernel(Isa cap) {
  static constexpr const AttentionKernel* kKernels[] = {
#define KERNEL(object) &object,
#include "kernels/attention/attention.def"
#undef KERNEL
  };
  for (const AttentionKernel* kernel : kKernels) {
    if (is_within(kernel->isa, cap)) return *kernel;
  }
  return *kKernels[std::size(kKernels) - 1];
}

}  // namespace etalon::kernels
