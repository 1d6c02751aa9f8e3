#include "kernels/qd8_conv2d/ends_lanes_impl.h"

namespace etalon::kernels {

extern constinit const Qd8Conv2dAlgorithm kQd8DenseNeon =
    dense_floats<TilesOfLanes>(Isa::kNeon, "qd8_f32_qc8w_igemm_minmax_ukernel_4x16__neon", "4x16");

}  // namespace etalon::kernels
