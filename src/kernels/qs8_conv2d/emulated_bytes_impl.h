// The tile unit of amx_tiles_impl.h in plain C++: groups of four signed bytes, sums in 32 bits that wrap around.
#pragma once

#include "kernels/qs8_conv2d/amx_plan_impl.h"

namespace etalon::kernels {
namespace {

class EmulatedBytes {
 public:
  void configure(std::uint8_t rows) {
    __builtin_memset(tiles_, 0x7f, sizeof tiles_);  // what a register held before is anybody's guess
    rows_ = rows;
  }
  void release() {}
  template <int kRegister>
  void load(const void* from, std::int64_t step) {
    const auto* bytes = static_cast<const std::int8_t*>(from);
    for (std::int64_t i = 0; i < rows_of(kRegister); ++i) __builtin_memcpy(tiles_[kRegister][i], bytes + i * step, kChunk);
  }
  template <int kRegister>
  void store(std::int32_t* to, std::int64_t step) const {
    for (std::int64_t i = 0; i < rows_of(kRegister); ++i) {
      __builtin_memcpy(reinterpret_cast<std::byte*>(to) + i * step, tiles_[kRegister][i], kChunk);
    }
  }
  template <int kSum, int kA, int kB>
  void multiply() {
    for (std::int64_t i = 0; i < rows_; ++i) {
      std::uint32_t sums[kTileColumns];
      __builtin_memcpy(sums, tiles_[kSum][i], sizeof sums);
      for (std::int64_t k = 0; k < kChunk; ++k) {
        for (std::int64_t j = 0; j < kTileColumns; ++j) {
          sums[j] += static_cast<std::uint32_t>(tiles_[kA][i][k] * tiles_[kB][k / 4][j * 4 + k % 4]);
        }
      }
      __builtin_memcpy(tiles_[kSum][i], sums, sizeof sums);
    }
  }

 private:
  std::int64_t rows_of(int tile) const { return tile < 6 ? rows_ : kTileRows; }

  alignas(64) std::int8_t tiles_[8][kTileRows][kChunk];
  std::int64_t rows_ = 0;
};

}  // namespace
}  // namespace etalon::kernels
