#include "kernels/qd8_conv2d/ends_avx2_impl.h"
#include "kernels/qs8_conv2d/product_avxvnni_impl.h"

namespace etalon::kernels {

extern constinit const Qd8Conv2dAlgorithm kQd8DenseAvxVnni =
    dense_floats<FloatTiles256<Vnni256, 6>>(Isa::kAvxVnni, "qd8_f32_qc8w_igemm_minmax_ukernel_6x16c4__avxvnni", "6x16c4");

}  // namespace etalon::kernels
