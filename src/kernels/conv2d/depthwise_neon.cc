#include "kernels/simd/neon.h"

#include "kernels/vector/math_impl.h"

#include "kernels/conv2d/depthwise_impl.h"

namespace etalon::kernels {

extern constinit const Conv2dAlgorithm kDepthwise3x3s1Neon =
    depthwise_window<DepthwiseWindow<3, 1, 3, 4>>("f32_dwconv_minmax_ukernel_3x3s1p4c__neon", "3x4");
extern constinit const Conv2dAlgorithm kDepthwise3x3s2Neon =
    depthwise_window<DepthwiseWindow<3, 2, 2, 2>>("f32_dwconv_minmax_ukernel_3x3s2p4c__neon", "2x2");
extern constinit const Conv2dAlgorithm kDepthwise5x5s1Neon =
    depthwise_window<DepthwiseWindow<5, 1, 3, 4>>("f32_dwconv_minmax_ukernel_5x5s1p4c__neon", "3x4");
extern constinit const Conv2dAlgorithm kDepthwise5x5s2Neon =
    depthwise_window<DepthwiseWindow<5, 2, 2, 2>>("f32_dwconv_minmax_ukernel_5x5s2p4c__neon", "2x2");
extern constinit const Conv2dAlgorithm kDepthwise7x7s1Neon =
    depthwise_window<DepthwiseWindow<7, 1, 2, 7>>("f32_dwconv_minmax_ukernel_7x7s1p4c__neon", "2x7");
extern constinit const Conv2dAlgorithm kDepthwiseAnyNeon =
    depthwise_any("f32_dwconv_minmax_ukernel_anyp4c__neon");

}  // namespace etalon::kernels
