#include "kernels/simd/avx2.h"

#include "kernels/vector/math_impl.h"

#include "kernels/conv2d/small_channels_impl.h"

namespace etalon::kernels {

extern constinit const Conv2dAlgorithm kSmallChannelsAvx2 =
    few_channels("f32_conv2d_minmax_ukernel_6x16__fma3", "6x16");

}  // namespace etalon::kernels
