// Instruction sets that kernels are compiled for. Which of them this machine has is for the caller to find out
// (kernels ask nothing of the system); isa.def lists them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace etalon::kernels {

enum class Isa : std::uint8_t {
#define ISA(enumerator, name, suffix, base, features) enumerator,
#include "kernels/isa.def"
#undef ISA
};

struct IsaInfo {
  Isa isa;
  std::string_view name;      // "avx512"
  std::string_view suffix;    // of kernel names: "__avx512f"
  Isa base;                   // the one it extends; itself for scalar
  std::string_view features;  // separated by spaces, besides those of `base`
};

std::span<const IsaInfo> all_isas();
const IsaInfo& info_of(Isa isa);
std::optional<Isa> isa_from_name(std::string_view name);
// `isa` is `cap` or one that `cap` extends.
bool is_within(Isa isa, Isa cap);

// The first of `kernels` (best first, a scalar one last) that `cap` allows.
template <class Kernel>
const Kernel& best_within(std::span<const Kernel* const> kernels, Isa cap) {
  for (const Kernel* kernel : kernels) {
    if (is_within(kernel->isa, cap)) return *kernel;
  }
  return *kernels.back();
}

}  // namespace etalon::kernels
