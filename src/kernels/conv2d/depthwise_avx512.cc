#include "kernels/simd/avx512.h"

#include "kernels/vector/math_impl.h"

#include "kernels/conv2d/depthwise_impl.h"

namespace etalon::kernels {

extern constinit const Conv2dAlgorithm kDepthwise3x3s1Avx512 =
    depthwise_window<DepthwiseWindow<3, 1, 3, 4>>("f32_dwconv_minmax_ukernel_3x3s1p16c__avx512f", "3x4");
extern constinit const Conv2dAlgorithm kDepthwise3x3s2Avx512 =
    depthwise_window<DepthwiseWindow<3, 2, 2, 2>>("f32_dwconv_minmax_ukernel_3x3s2p16c__avx512f", "2x2");
extern constinit const Conv2dAlgorithm kDepthwise5x5s1Avx512 =
    depthwise_window<DepthwiseWindow<5, 1, 3, 4>>("f32_dwconv_minmax_ukernel_5x5s1p16c__avx512f", "3x4");
extern constinit const Conv2dAlgorithm kDepthwise5x5s2Avx512 =
    depthwise_window<DepthwiseWindow<5, 2, 2, 2>>("f32_dwconv_minmax_ukernel_5x5s2p16c__avx512f", "2x2");
extern constinit const Conv2dAlgorithm kDepthwise7x7s1Avx512 =
    depthwise_window<DepthwiseWindow<7, 1, 2, 7>>("f32_dwconv_minmax_ukernel_7x7s1p16c__avx512f", "2x7");
extern constinit const Conv2dAlgorithm kDepthwiseAnyAvx512 =
    depthwise_any("f32_dwconv_minmax_ukernel_anyp16c__avx512f");

}  // namespace etalon::kernels
