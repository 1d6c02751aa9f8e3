#include "kernels/qs8_vector/bytes_neon.h"
#include "kernels/qs8_vector/qs8_vector_impl.h"

namespace etalon::kernels {

constinit const Qs8VectorKernels kQs8VectorNeon = ETALON_QS8_VECTOR_KERNELS;

}  // namespace etalon::kernels
