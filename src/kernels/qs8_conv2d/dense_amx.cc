#include "kernels/simd/avx512.h"
// The ISA comes first.
#include "kernels/qs8_conv2d/amx_avx512_impl.h"
#include "kernels/qs8_conv2d/amx_requantised_impl.h"
#include "kernels/qs8_conv2d/amx_tiles_impl.h"

namespace etalon::kernels {

extern constinit const Qs8Conv2dAlgorithm kQs8DenseAmx =
    requantised_tiles<RequantisedTiles<AmxBytes, Bytes512, Requantised512>>(
        Isa::kAmx, "qs8_qc8w_igemm_minmax_fp32_ukernel_32x32c4__avx512amx");

}  // namespace etalon::kernels
