#include "kernels/qd8_conv2d/ends_avx2_impl.h"
#include "kernels/qs8_conv2d/product_avx2_impl.h"

namespace etalon::kernels {

extern constinit const Qd8Conv2dAlgorithm kQd8DenseAvx2 =
    dense_floats<FloatTiles256<Pairs256>>(Isa::kAvx2, "qd8_f32_qc8w_igemm_minmax_ukernel_4x16c2__avx2", "4x16c2");

}  // namespace etalon::kernels
