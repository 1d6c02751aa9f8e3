// What kernels have to know of the machine they run on besides its ISA.
#pragma once

#include <cstddef>

namespace etalon::kernels {

// Decides between algorithms and blockings.
struct Machine {
  std::size_t l1_bytes = 32 << 10;
  std::size_t l2_bytes = 1 << 20;
  bool bf16_dots_are_slow = false;  // vdpbf16ps does fewer multiply-adds than float32's FMA: Intel's cores with tiles
};

}  // namespace etalon::kernels
