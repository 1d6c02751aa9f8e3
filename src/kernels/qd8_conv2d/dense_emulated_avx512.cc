// For tests on machines without a tile unit; no list names it.
#if defined(__x86_64__)
#include "kernels/simd/avx512.h"
// The ISA comes first.
#include "kernels/qd8_conv2d/amx_floats_avx512_impl.h"
#include "kernels/qs8_conv2d/emulated_bytes_impl.h"

namespace etalon::kernels {

extern constinit const Qd8Conv2dAlgorithm kQd8DenseEmulatedAvx512 =
    float_tiles<FloatTiles<EmulatedBytes, Bytes512, Floats512>>(Isa::kAvx512, "emulated tiles, avx512");

}  // namespace etalon::kernels
#endif
