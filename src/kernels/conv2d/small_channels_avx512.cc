#include "kernels/simd/avx512.h"

#include "kernels/vector/math_impl.h"

#include "kernels/conv2d/small_channels_impl.h"

namespace etalon::kernels {

extern constinit const Conv2dAlgorithm kSmallChannelsAvx512 =
    few_channels("f32_conv2d_minmax_ukernel_14x32__avx512f", "14x32");

}  // namespace etalon::kernels
