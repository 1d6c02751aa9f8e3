#include "kernels/simd/scalar.h"

#include "kernels/vector/math_impl.h"

#include "kernels/conv2d/small_channels_impl.h"

namespace etalon::kernels {

extern constinit const Conv2dAlgorithm kSmallChannelsScalar =
    few_channels("f32_conv2d_minmax_ukernel_6x2__scalar", "6x2");

}  // namespace etalon::kernels
