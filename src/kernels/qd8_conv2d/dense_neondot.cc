#include "kernels/qd8_conv2d/ends_neon_impl.h"
// The ISA comes first.
#include "kernels/qs8_conv2d/product_neondot_impl.h"

namespace etalon::kernels {

extern constinit const Qd8Conv2dAlgorithm kQd8DenseNeonDot =
    dense_floats<FloatTilesNeon<DotNeon>>(Isa::kNeonDot, "qd8_f32_qc8w_igemm_minmax_ukernel_4x16c4__neondot", "4x16c4");

}  // namespace etalon::kernels
