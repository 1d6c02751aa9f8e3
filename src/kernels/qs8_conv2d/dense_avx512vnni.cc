#include "kernels/qs8_conv2d/product_avx512vnni_impl.h"
#include "kernels/qs8_conv2d/tile_avx512_impl.h"

namespace etalon::kernels {

extern constinit const Qs8Conv2dAlgorithm kQs8DenseAvx512Vnni = dense<Tiles512<Vnni>>(
    Isa::kAvx512Vnni, "qs8_qc8w_igemm_minmax_fp32_ukernel_8x32c4__avx512vnni", "8x32c4");

}  // namespace etalon::kernels
