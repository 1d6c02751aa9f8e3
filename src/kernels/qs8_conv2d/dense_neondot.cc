#include "kernels/qs8_conv2d/tile_neon_impl.h"
// The ISA comes first.
#include "kernels/qs8_conv2d/product_neondot_impl.h"

namespace etalon::kernels {

extern constinit const Qs8Conv2dAlgorithm kQs8DenseNeonDot =
    dense<TilesNeon<DotNeon>>(Isa::kNeonDot, "qs8_qc8w_igemm_minmax_fp32_ukernel_4x16c4__neondot", "4x16c4");

}  // namespace etalon::kernels
