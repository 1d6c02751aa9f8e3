// For tests on machines without a tile unit; no list names these.
#if defined(__x86_64__)
#include "kernels/simd/scalar.h"
// The ISA comes first.
#include "kernels/conv2d/emulated_tiles_impl.h"

namespace etalon::kernels {

extern constinit const Conv2dAlgorithm kSplitGemmEmulatedScalar = split_gemm<EmulatedTiles, 3>("emulated 6 products, scalar", Isa::ETALON_ISA);
extern constinit const Conv2dAlgorithm kSplitIgemmEmulatedScalar = split_igemm<EmulatedTiles, 3>("emulated 6 products, scalar", Isa::ETALON_ISA);
extern constinit const Conv2dAlgorithm kFastGemmEmulatedScalar = split_gemm<EmulatedTiles, 2>("emulated 3 products, scalar", Isa::ETALON_ISA);
extern constinit const Conv2dAlgorithm kFastIgemmEmulatedScalar = split_igemm<EmulatedTiles, 2>("emulated 3 products, scalar", Isa::ETALON_ISA);
extern constinit const Conv2dAlgorithm kBf16GemmEmulatedScalar = split_gemm<EmulatedTiles, 1>("emulated bf16, scalar", Isa::ETALON_ISA);
extern constinit const Conv2dAlgorithm kBf16IgemmEmulatedScalar = split_igemm<EmulatedTiles, 1>("emulated bf16, scalar", Isa::ETALON_ISA);

}  // namespace etalon::kernels
#endif
