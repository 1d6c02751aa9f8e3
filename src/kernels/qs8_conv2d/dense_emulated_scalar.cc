// For tests on machines without a tile unit; no list names it.
#include "kernels/simd/scalar.h"
// The ISA comes first.
#include "kernels/qs8_conv2d/amx_plain_impl.h"
#include "kernels/qs8_conv2d/amx_requantised_impl.h"
#include "kernels/qs8_conv2d/emulated_bytes_impl.h"

namespace etalon::kernels {

extern constinit const Qs8Conv2dAlgorithm kQs8DenseEmulatedScalar =
    requantised_tiles<RequantisedTiles<EmulatedBytes, PlainBytes, PlainRequantised>>(Isa::kScalar, "emulated tiles, scalar");

}  // namespace etalon::kernels
