// For tests on machines without a tile unit, compiled as for one; no list names it.
#if defined(__x86_64__)
#include "kernels/simd/avx512.h"
// The ISA comes first.
#include "kernels/qs8_conv2d/amx_avx512_impl.h"
#include "kernels/qs8_conv2d/amx_requantised_impl.h"
#include "kernels/qs8_conv2d/emulated_bytes_impl.h"

namespace etalon::kernels {

extern constinit const Qs8Conv2dAlgorithm kQs8DenseEmulatedAmx =
    requantised_tiles<RequantisedTiles<EmulatedBytes, Bytes512, Requantised512>>(Isa::kAmx, "emulated tiles, avx512amx");

}  // namespace etalon::kernels
#endif
