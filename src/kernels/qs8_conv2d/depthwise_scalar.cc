#include "kernels/qs8_conv2d/depthwise_lanes_impl.h"

namespace etalon::kernels {

extern constinit const Qs8Conv2dAlgorithm kQs8DepthwiseAnyScalar =
    depthwise_lanes<PlainSums>(Isa::kScalar, "qs8_qc8w_dwconv_minmax_fp32_ukernel_anyp32c__scalar");

}  // namespace etalon::kernels
