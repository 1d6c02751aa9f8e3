#include "kernels/simd/avx512.h"
// The ISA comes first.
#include "kernels/qd8_conv2d/amx_floats_avx512_impl.h"
#include "kernels/qs8_conv2d/amx_tiles_impl.h"

namespace etalon::kernels {

extern constinit const Qd8Conv2dAlgorithm kQd8DenseAmx = float_tiles<FloatTiles<AmxBytes, Bytes512, Floats512>>(
    Isa::kAmx, "qd8_f32_qc8w_igemm_minmax_ukernel_32x32c4__avx512amx");

}  // namespace etalon::kernels
