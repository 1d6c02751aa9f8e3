#include "kernels/qs8_conv2d/thin_matrix_impl.h"

namespace etalon::kernels {

extern constinit const Qs8Conv2dAlgorithm kQs8ThinAvx512Vnni =
    thin_matrix(Isa::kAvx512Vnni, "qs8_qc8w_gemm_minmax_fp32_ukernel_4x64c4__avx512vnni", "4x64c4");

}  // namespace etalon::kernels
