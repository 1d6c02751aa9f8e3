#include "kernels/qs8_conv2d/product_avx2_impl.h"
#include "kernels/qs8_conv2d/tile_avx2_impl.h"

namespace etalon::kernels {

extern constinit const Qs8Conv2dAlgorithm kQs8DenseAvx2 =
    dense<Tiles256<Pairs256>>(Isa::kAvx2, "qs8_qc8w_igemm_minmax_fp32_ukernel_4x16c2__avx2", "4x16c2");

}  // namespace etalon::kernels
