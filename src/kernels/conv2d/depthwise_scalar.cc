#include "kernels/simd/scalar.h"

#include "kernels/vector/math_impl.h"

#include "kernels/conv2d/depthwise_impl.h"

namespace etalon::kernels {

extern constinit const Conv2dAlgorithm kDepthwise3x3s1Scalar =
    depthwise_window<DepthwiseWindow<3, 1, 2, 2>>("f32_dwconv_minmax_ukernel_3x3s1p1c__scalar", "2x2");
extern constinit const Conv2dAlgorithm kDepthwiseAnyScalar =
    depthwise_any("f32_dwconv_minmax_ukernel_anyp1c__scalar");

}  // namespace etalon::kernels
