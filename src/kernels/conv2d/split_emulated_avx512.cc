// For tests on machines without a tile unit; no list names these.
#if defined(__x86_64__)
#include "kernels/simd/avx512.h"
// The ISA comes first.
#include "kernels/conv2d/emulated_tiles_impl.h"

namespace etalon::kernels {

extern constinit const Conv2dAlgorithm kSplitGemmEmulatedAvx512 = split_gemm<EmulatedTiles, 3>("emulated 6 products, avx512", Isa::ETALON_ISA);
extern constinit const Conv2dAlgorithm kSplitIgemmEmulatedAvx512 = split_igemm<EmulatedTiles, 3>("emulated 6 products, avx512", Isa::ETALON_ISA);
extern constinit const Conv2dAlgorithm kFastGemmEmulatedAvx512 = split_gemm<EmulatedTiles, 2>("emulated 3 products, avx512", Isa::ETALON_ISA);
extern constinit const Conv2dAlgorithm kFastIgemmEmulatedAvx512 = split_igemm<EmulatedTiles, 2>("emulated 3 products, avx512", Isa::ETALON_ISA);
extern constinit const Conv2dAlgorithm kBf16GemmEmulatedAvx512 = split_gemm<EmulatedTiles, 1>("emulated bf16, avx512", Isa::ETALON_ISA);
extern constinit const Conv2dAlgorithm kBf16IgemmEmulatedAvx512 = split_igemm<EmulatedTiles, 1>("emulated bf16, avx512", Isa::ETALON_ISA);

}  // namespace etalon::kernels
#endif
