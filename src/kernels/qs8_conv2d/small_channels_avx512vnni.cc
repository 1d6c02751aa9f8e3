#include "kernels/qs8_conv2d/small_channels_impl.h"

namespace etalon::kernels {

extern constinit const Qs8Conv2dAlgorithm kQs8SmallChannelsAvx512Vnni =
    small_channels(Isa::kAvx512Vnni, "qs8_qc8w_conv2d_minmax_fp32_ukernel_4x64c4__avx512vnni", "4x64c4");

}  // namespace etalon::kernels
