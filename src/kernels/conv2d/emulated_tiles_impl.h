// The tile unit in plain C++: bfloat16 pairs, sums in float32, subnormal operands and results taken for zero.
#pragma once

#include "kernels/conv2d/split_impl.h"

namespace etalon::kernels {
namespace {

class EmulatedTiles {
 public:
  void configure() { __builtin_memset(tiles_, 0x7f, sizeof tiles_); }  // what a register held before is anybody's guess
  void release() {}
  template <int kRegister>
  void zero() {
    __builtin_memset(tiles_[kRegister], 0, sizeof tiles_[kRegister]);
  }
  template <int kRegister>
  void load(const Half* from) {
    __builtin_memcpy(tiles_[kRegister], from, sizeof tiles_[kRegister]);
  }
  template <int kRegister>
  void store(float* to) const {
    for (std::int64_t i = 0; i < kTile; ++i) {
      __builtin_memcpy(to + i * kBlock, reinterpret_cast<const float*>(tiles_[kRegister]) + i * kTile, kTile * sizeof(float));
    }
  }
  template <int kSum, int kA, int kB>
  void multiply() {
    auto* sums = reinterpret_cast<float*>(tiles_[kSum]);
    for (std::int64_t i = 0; i < kTile; ++i) {
      for (std::int64_t pair = 0; pair < kTile; ++pair) {
        for (std::int64_t e = 0; e < 2; ++e) {
          const float a = operand(tiles_[kA][i * kChunk + pair * 2 + e]);
          for (std::int64_t j = 0; j < kTile; ++j) {
            const float b = operand(tiles_[kB][(pair * kTile + j) * 2 + e]);
            sums[i * kTile + j] = flushed(sums[i * kTile + j] + flushed(a * b));
          }
        }
      }
    }
  }

 private:
  static float flushed(float x) { return __builtin_fabsf(x) < 0x1p-126f ? 0.0f : x; }
  static float operand(Half h) { return flushed(float_of(static_cast<std::uint32_t>(h) << 16)); }

  alignas(64) Half tiles_[8][kTileHalves];
};

}  // namespace
}  // namespace etalon::kernels
