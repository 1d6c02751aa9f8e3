#include "kernels/qs8_conv2d/lane_sums_avx2_impl.h"

namespace etalon::kernels {

extern constinit const Qs8Conv2dAlgorithm kQs8DepthwiseAnyAvx2 =
    depthwise_lanes<Sums256>(Isa::kAvx2, "qs8_qc8w_dwconv_minmax_fp32_ukernel_anyp32c__avx2");

}  // namespace etalon::kernels
