#include "kernels/batch_matmul/batch_matmul.h"

namespace etalon::kernels {

#define KERNEL(object) extern const BatchMatmulKernel object;
#include "kernels/batch_matmul/batch_matmul.def"
#undef KERNEL

const BatchMatmulKernel& batch_matmul_kernel(Isa cap, MathMode math, const Machine& machine) {
  static constexpr const BatchMatmulKernel* kKernels[] = {
#define KERNEL(object) &object,
#include "kernels/batch_matmul/batch_matmul.def"
#undef KERNEL
  };
  return best_within<BatchMatmulKernel>(kKernels, cap, math, machine);
}

}  // namespace etalon::kernels
