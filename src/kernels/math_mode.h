// How exact arithmetic has to be: what --math asks for, and what an algorithm needs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "kernels/isa.h"
#include "kernels/machine.h"

namespace etalon::kernels {

// How far results may be from exact ones; all but kExact must be asked for.
//   kExact  as accurate as summing in float32
//   kFast   1e-5 relative to the largest output
//   kBf16   dense products (convolutions that are not depthwise, fully connected layers, products of matrices, attention)
//           round both factors to bfloat16 and sum in float32; everything else stays float32. Over whole networks usually
//           3e-3 to 8e-3 of the largest output, 43 to 53 dB; more where outputs hardly depend on the input. Factors from
//           3.39e38 on become infinite, subnormal ones zero.
//   kFp16   the same with IEEE half precision factors
enum class MathMode : std::uint8_t { kExact, kFast, kBf16, kFp16 };

// Something that needs the mode `needed` may run where `asked` was asked for: exact < fast < bf16, and exact < fp16.
constexpr bool allows(MathMode asked, MathMode needed) {
  if (asked == MathMode::kFp16 || needed == MathMode::kFp16) return needed == asked || needed == MathMode::kExact;
  return needed <= asked;
}
// As --math spells it.
constexpr std::string_view name_of(MathMode mode) {
  constexpr std::string_view kNames[] = {"exact", "fast", "bf16", "fp16"};
  return kNames[static_cast<std::size_t>(mode)];
}

// The first of `kernels` (best first, an exact scalar one last) that `cap` and `math` allow and that `machine` is not
// slow at.
template <class Kernel>
const Kernel& best_within(std::span<const Kernel* const> kernels, Isa cap, MathMode math, const Machine& machine) {
  for (const Kernel* kernel : kernels) {
    if (!is_within(kernel->isa, cap) || !allows(math, kernel->math)) continue;
    if (kernel->math != MathMode::kBf16 || !machine.bf16_dots_are_slow) return *kernel;
  }
  return *kernels.back();
}

}  // namespace etalon::kernels
