#include "kernels/simd/avx512.h"

#include "kernels/vector/math_impl.h"

#include "kernels/conv2d/winograd_impl.h"

namespace etalon::kernels {

extern constinit const Conv2dAlgorithm kWinogradF4Avx512 =
    winograd<WinogradF4>("f32_conv2d_winograd_ukernel_f4x4_14x32__avx512f", "F(4x4,3x3)");
extern constinit const Conv2dAlgorithm kWinogradF2Avx512 =
    winograd<WinogradF2>("f32_conv2d_winograd_ukernel_f2x2_14x32__avx512f", "F(2x2,3x3)");

}  // namespace etalon::kernels
