// The machine's tile unit, multiplying signed bytes. Written as assembly because GCC 12's intrinsics say nothing about the
// memory they read, so that it may drop or move the stores before them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace etalon::kernels {
namespace {

class AmxBytes {
 public:
  // Rows of sums and of the input (registers 0 to 5); weights (6 and 7) have 16.
  void configure(std::uint8_t rows) {
    struct alignas(64) Configuration {
      std::uint8_t palette = 1, start_row = 0, reserved[14] = {};
      std::uint16_t row_bytes[16] = {};
      std::uint8_t rows[16] = {};
    } configuration;
    for (int i = 0; i < 8; ++i) configuration.row_bytes[i] = 64, configuration.rows[i] = i < 6 ? rows : 16;
    asm volatile("ldtilecfg %0" ::"m"(configuration));
  }
  void release() { asm volatile("tilerelease" ::: "memory"); }
  // Rows of 64 bytes, `step` bytes apart; may be none.
  template <int kRegister>
  ETALON_INLINE void load(const void* from, std::int64_t step) {
    asm volatile("tileloadd (%0,%1,1), %%tmm%c2" ::"r"(from), "r"(step), "i"(kRegister) : "memory");
  }
  template <int kRegister>
  ETALON_INLINE void store(std::int32_t* to, std::int64_t step) const {
    asm volatile("tilestored %%tmm%c2, (%0,%1,1)" ::"r"(to), "r"(step), "i"(kRegister) : "memory");
  }
  // Adds the products of rows of register kA and columns of kB.
  template <int kSum, int kA, int kB>
  ETALON_INLINE void multiply() {
    asm volatile("tdpbssd %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(kSum), "i"(kA), "i"(kB));
  }
};

}  // namespace
}  // namespace etalon::kernels
