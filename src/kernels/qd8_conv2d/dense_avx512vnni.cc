#include "kernels/qd8_conv2d/ends_avx512_impl.h"
#include "kernels/qs8_conv2d/product_avx512vnni_impl.h"

namespace etalon::kernels {

extern constinit const Qd8Conv2dAlgorithm kQd8DenseAvx512Vnni =
    dense_floats<FloatTiles512<Vnni>>(Isa::kAvx512Vnni, "qd8_f32_qc8w_igemm_minmax_ukernel_8x32c4__avx512vnni", "8x32c4");

}  // namespace etalon::kernels
