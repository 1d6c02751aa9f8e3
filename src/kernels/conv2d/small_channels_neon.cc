#include "kernels/simd/neon.h"

#include "kernels/vector/math_impl.h"

#include "kernels/conv2d/small_channels_impl.h"

namespace etalon::kernels {

extern constinit const Conv2dAlgorithm kSmallChannelsNeon =
    few_channels("f32_conv2d_minmax_ukernel_14x8__neon", "14x8");

}  // namespace etalon::kernels
