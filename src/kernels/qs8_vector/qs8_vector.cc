#include "kernels/qs8_vector/qs8_vector.h"

#include "kernels/qs8_vector/tables.h"

namespace etalon::kernels {

const Qs8VectorKernels& qs8_vector_kernels(Isa cap) {
  static constexpr const Qs8VectorKernels* kBestFirst[] = {
#if defined(__x86_64__)
      &kQs8VectorAvx512Vnni, &kQs8VectorAvx512, &kQs8VectorAvx2,
#endif
#if defined(__aarch64__)
      &kQs8VectorNeon,
#endif
      &kQs8VectorScalar,
  };
  return best_within<Qs8VectorKernels>(kBestFirst, cap);
}

}  // namespace etalon::kernels
