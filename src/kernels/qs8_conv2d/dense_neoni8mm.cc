#include "kernels/qs8_conv2d/tile_neon_impl.h"
// The ISA comes first.
#include "kernels/qs8_conv2d/product_neoni8mm_impl.h"

namespace etalon::kernels {

extern constinit const Qs8Conv2dAlgorithm kQs8DenseNeonI8mm =
    dense<TilesNeon<MatrixNeon>>(Isa::kNeonI8mm, "qs8_qc8w_igemm_minmax_fp32_ukernel_4x16c8__neoni8mm", "4x16c8");

}  // namespace etalon::kernels
