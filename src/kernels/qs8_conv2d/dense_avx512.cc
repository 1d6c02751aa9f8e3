#include "kernels/qs8_conv2d/product_avx512_impl.h"
#include "kernels/qs8_conv2d/tile_avx512_impl.h"

namespace etalon::kernels {

extern constinit const Qs8Conv2dAlgorithm kQs8DenseAvx512 =
    dense<Tiles512<Pairs>>(Isa::kAvx512, "qs8_qc8w_igemm_minmax_fp32_ukernel_8x32c2__avx512skx", "8x32c2");

}  // namespace etalon::kernels
