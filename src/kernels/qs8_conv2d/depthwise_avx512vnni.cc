#include "kernels/qs8_conv2d/depthwise_moving_impl.h"

namespace etalon::kernels {

extern constinit const Qs8Conv2dAlgorithm kQs8Depthwise3x3s1Avx512Vnni =
    qs8_window<Qs8MovingWindow<1>>(Isa::kAvx512Vnni, "qs8_qc8w_dwconv_minmax_fp32_ukernel_3x3s1p64c__avx512vnni", "2x1");
extern constinit const Qs8Conv2dAlgorithm kQs8Depthwise3x3s2Avx512Vnni =
    qs8_window<Qs8MovingWindow<2>>(Isa::kAvx512Vnni, "qs8_qc8w_dwconv_minmax_fp32_ukernel_3x3s2p64c__avx512vnni", "1x1");
extern constinit const Qs8Conv2dAlgorithm kQs8Depthwise5x5s1Avx512Vnni =
    qs8_window<Qs8Window<5, 1, false>>(Isa::kAvx512Vnni, "qs8_qc8w_dwconv_minmax_fp32_ukernel_5x5s1p64c__avx512vnni",
                                      "4x4");
extern constinit const Qs8Conv2dAlgorithm kQs8Depthwise5x5s1PairsAvx512Vnni =
    qs8_window<Qs8Window<5, 1, true>>(Isa::kAvx512Vnni, "qs8_qc8w_dwconv_minmax_fp32_ukernel_5x5s1p32c__avx512vnni",
                                      "4x8");
extern constinit const Qs8Conv2dAlgorithm kQs8Depthwise5x5s2Avx512Vnni =
    qs8_window<Qs8Window<5, 2, false>>(Isa::kAvx512Vnni, "qs8_qc8w_dwconv_minmax_fp32_ukernel_5x5s2p64c__avx512vnni",
                                      "2x4");
extern constinit const Qs8Conv2dAlgorithm kQs8Depthwise5x5s2PairsAvx512Vnni =
    qs8_window<Qs8Window<5, 2, true>>(Isa::kAvx512Vnni, "qs8_qc8w_dwconv_minmax_fp32_ukernel_5x5s2p32c__avx512vnni",
                                      "2x8");

}  // namespace etalon::kernels
