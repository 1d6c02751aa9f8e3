#include "kernels/qd8_conv2d/ends_avx512_impl.h"
#include "kernels/qs8_conv2d/product_avx512_impl.h"

namespace etalon::kernels {

extern constinit const Qd8Conv2dAlgorithm kQd8DenseAvx512 =
    dense_floats<FloatTiles512<Pairs>>(Isa::kAvx512, "qd8_f32_qc8w_igemm_minmax_ukernel_8x32c2__avx512skx", "8x32c2");

}  // namespace etalon::kernels
