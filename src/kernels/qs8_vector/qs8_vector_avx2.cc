#include "kernels/qs8_vector/bytes_avx2.h"
#include "kernels/qs8_vector/qs8_vector_impl.h"

namespace etalon::kernels {

constinit const Qs8VectorKernels kQs8VectorAvx2 = ETALON_QS8_VECTOR_KERNELS;

}  // namespace etalon::kernels
