#include "kernels/simd/neon.h"

#include "kernels/vector/math_impl.h"

#include "kernels/conv2d/winograd_impl.h"

namespace etalon::kernels {

extern constinit const Conv2dAlgorithm kWinogradF4Neon =
    winograd<WinogradF4>("f32_conv2d_winograd_ukernel_f4x4_14x8__neon", "F(4x4,3x3)");
extern constinit const Conv2dAlgorithm kWinogradF2Neon =
    winograd<WinogradF2>("f32_conv2d_winograd_ukernel_f2x2_14x8__neon", "F(2x2,3x3)");

}  // namespace etalon::kernels
