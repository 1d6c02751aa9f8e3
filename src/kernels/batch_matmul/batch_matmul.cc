#include "kernels/batch_matmul/batch_matmul.h"

namespace etalon::kernels {

#define KERNEL(object) extern const BatchMatmulKernel object;
#include "kernels/batch_matmul/batch_matmul.def"
#undef KERNEL

const BatchMatmulKernel& batch_matmul_kernel(Isa cap) {
  static constexpr const BatchMatmulKernel* kKernels[] = {
#define KERNEL(object) &object,
#include "kernels/batch_matmul/batch_matmul.def"
#undef KERNEL
  };
  for (const BatchMatmulKernel* kernel : kKernels) {
    if (is_within(kernel->isa, cap)) return *kernel;
  }
  return *kKernels[std::size(kKernels) - 1];
}

}  // namespace etalon::kernels
