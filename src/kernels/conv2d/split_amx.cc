#include "kernels/simd/avx512.h"
// The ISA comes first.
#include "kernels/conv2d/split_impl.h"

namespace etalon::kernels {
namespace {

// Written as assembly because GCC 12's intrinsics say nothing about the memory they read, so that it may drop or move the
// stores before them.
class AmxTiles {
 public:
  void configure() {
    struct alignas(64) Configuration {
      std::uint8_t palette = 1, start_row = 0, reserved[14] = {};
      std::uint16_t row_bytes[16] = {};
      std::uint8_t rows[16] = {};
    } configuration;
    for (int i = 0; i < 8; ++i) configuration.row_bytes[i] = 64, configuration.rows[i] = 16;
    asm volatile("ldtilecfg %0" ::"m"(configuration));
  }
  void release() { asm volatile("tilerelease" ::: "memory"); }
  template <int kRegister>
  ETALON_INLINE void zero() {
    asm volatile("tilezero %%tmm%c0" ::"i"(kRegister));
  }
  template <int kRegister>
  ETALON_INLINE void load(const Half* from) {
    asm volatile("tileloadd (%0,%1,1), %%tmm%c2" ::"r"(from), "r"(std::int64_t{64}), "i"(kRegister) : "memory");
  }
  template <int kRegister>
  ETALON_INLINE void store(float* to) const {
    asm volatile("tilestored %%tmm%c2, (%0,%1,1)" ::"r"(to), "r"(std::int64_t{kBlock * 4}), "i"(kRegister) : "memory");
  }
  template <int kSum, int kA, int kB>
  ETALON_INLINE void multiply() {
    asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(kSum), "i"(kA), "i"(kB));
  }
};

}  // namespace

extern constinit const Conv2dAlgorithm kSplitGemmAmx =
    split_gemm<AmxTiles, 3>("f32_gemm_bf16x6_minmax_ukernel_32x32__avx512amx", Isa::kAmx);
extern constinit const Conv2dAlgorithm kSplitIgemmAmx =
    split_igemm<AmxTiles, 3>("f32_igemm_bf16x6_minmax_ukernel_32x32__avx512amx", Isa::kAmx);
extern constinit const Conv2dAlgorithm kFastGemmAmx =
    split_gemm<AmxTiles, 2>("f32_gemm_bf16x3_minmax_ukernel_32x32__avx512amx", Isa::kAmx);
extern constinit const Conv2dAlgorithm kFastIgemmAmx =
    split_igemm<AmxTiles, 2>("f32_igemm_bf16x3_minmax_ukernel_32x32__avx512amx", Isa::kAmx);
extern constinit const Conv2dAlgorithm kBf16GemmAmx =
    split_gemm<AmxTiles, 1>("f32_gemm_bf16_minmax_ukernel_32x32__avx512amx", Isa::kAmx);
extern constinit const Conv2dAlgorithm kBf16IgemmAmx =
    split_igemm<AmxTiles, 1>("f32_igemm_bf16_minmax_ukernel_32x32__avx512amx", Isa::kAmx);

}  // namespace etalon::kernels
