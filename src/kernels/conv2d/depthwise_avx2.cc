#include "kernels/simd/avx2.h"

#include "kernels/vector/math_impl.h"

#include "kernels/conv2d/depthwise_impl.h"

namespace etalon::kernels {

extern constinit const Conv2dAlgorithm kDepthwise3x3s1Avx2 =
    depthwise_window<DepthwiseWindow<3, 1, 3, 4>>("f32_dwconv_minmax_ukernel_3x3s1p8c__fma3", "3x4");
extern constinit const Conv2dAlgorithm kDepthwise3x3s2Avx2 =
    depthwise_window<DepthwiseWindow<3, 2, 2, 2>>("f32_dwconv_minmax_ukernel_3x3s2p8c__fma3", "2x2");
extern constinit const Conv2dAlgorithm kDepthwise5x5s1Avx2 =
    depthwise_window<DepthwiseWindow<5, 1, 3, 4>>("f32_dwconv_minmax_ukernel_5x5s1p8c__fma3", "3x4");
extern constinit const Conv2dAlgorithm kDepthwise5x5s2Avx2 =
    depthwise_window<DepthwiseWindow<5, 2, 2, 3>>("f32_dwconv_minmax_ukernel_5x5s2p8c__fma3", "2x3");
extern constinit const Conv2dAlgorithm kDepthwise7x7s1Avx2 =
    depthwise_window<DepthwiseWindow<7, 1, 2, 4>>("f32_dwconv_minmax_ukernel_7x7s1p8c__fma3", "2x4");
extern constinit const Conv2dAlgorithm kDepthwiseAnyAvx2 =
    depthwise_any("f32_dwconv_minmax_ukernel_anyp8c__fma3");

}  // namespace etalon::kernels
