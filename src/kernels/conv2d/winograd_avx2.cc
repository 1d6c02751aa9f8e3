#include "kernels/simd/avx2.h"

#include "kernels/vector/math_impl.h"

#include "kernels/conv2d/winograd_impl.h"

namespace etalon::kernels {

extern constinit const Conv2dAlgorithm kWinogradF4Avx2 =
    winograd<WinogradF4>("f32_conv2d_winograd_ukernel_f4x4_6x16__fma3", "F(4x4,3x3)");
extern constinit const Conv2dAlgorithm kWinogradF2Avx2 =
    winograd<WinogradF2>("f32_conv2d_winograd_ukernel_f2x2_6x16__fma3", "F(2x2,3x3)");

}  // namespace etalon::kernels
