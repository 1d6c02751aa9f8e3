#include "kernels/qs8_conv2d/tile_lanes_impl.h"

namespace etalon::kernels {

extern constinit const Qs8Conv2dAlgorithm kQs8DenseNeon =
    dense<TilesOfLanes>(Isa::kNeon, "qs8_qc8w_igemm_minmax_fp32_ukernel_4x16__neon", "4x16");

}  // namespace etalon::kernels
