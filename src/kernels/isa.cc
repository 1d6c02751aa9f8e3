#include "kernels/isa.h"

namespace etalon::kernels {
namespace {

constexpr IsaInfo kIsas[] = {
#define ISA(enumerator, name, suffix, base, features) {Isa::enumerator, name, suffix, Isa::base, features},
#include "kernels/isa.def"
#undef ISA
};

}  // namespace

std::span<const IsaInfo> all_isas() { return kIsas; }

const IsaInfo& info_of(Isa isa) { return kIsas[static_cast<std::size_t>(isa)]; }

std::optional<Isa> isa_from_name(std::string_view name) {
  for (const IsaInfo& info : kIsas) {
    if (info.name == name) return info.isa;
  }
  return std::nullopt;
}

bool is_within(Isa isa, Isa cap) {
  for (;; cap = info_of(cap).base) {
    if (isa == cap) return true;
    if (cap == info_of(cap).base) return false;
  }
}

}  // namespace etalon::kernels
