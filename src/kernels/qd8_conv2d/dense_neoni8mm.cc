#include "kernels/qd8_conv2d/ends_neon_impl.h"
// The ISA comes first.
#include "kernels/qs8_conv2d/product_neoni8mm_impl.h"

namespace etalon::kernels {

extern constinit const Qd8Conv2dAlgorithm kQd8DenseNeonI8mm = dense_floats<FloatTilesNeon<MatrixNeon>>(
    Isa::kNeonI8mm, "qd8_f32_qc8w_igemm_minmax_ukernel_4x16c8__neoni8mm", "4x16c8");

}  // namespace etalon::kernels
