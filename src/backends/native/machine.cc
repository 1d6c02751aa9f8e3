#include "backends/native/machine.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#if defined(__x86_64__) && defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace etalon::native {
namespace {

using kernels::Isa;
using kernels::IsaInfo;

bool has_all(const platform::CpuInfo& cpu, std::string_view features) {
  while (!features.empty()) {
    const std::size_t end = std::min(features.find(' '), features.size());
    if (!cpu.has(features.substr(0, end))) return false;
    features.remove_prefix(std::min(end + 1, features.size()));
  }
  return true;
}

bool contains(const std::vector<Isa>& isas, Isa isa) {
  return std::find(isas.begin(), isas.end(), isa) != isas.end();
}

bool wants_permission(const IsaInfo& info) {
  return info.features.find("amx_tile") != std::string_view::npos;
}

std::string joined_names(const std::vector<Isa>& isas) {
  std::string out;
  for (const Isa isa : isas) out += (out.empty() ? "" : ", ") + std::string(kernels::info_of(isa).name);
  return out;
}

std::string all_names() {
  std::string out = "auto";
  for (const IsaInfo& info : kernels::all_isas()) out += ", " + std::string(info.name);
  return out;
}

}  // namespace

std::vector<Isa> usable_isas(const platform::CpuInfo& cpu, bool amx_is_permitted) {
  std::vector<Isa> out;
  for (const IsaInfo& info : kernels::all_isas()) {
    const bool base_is_usable = info.base == info.isa || contains(out, info.base);
    if (wants_permission(info) && !amx_is_permitted) continue;
    if (base_is_usable && has_all(cpu, info.features)) out.push_back(info.isa);
  }
  return out;
}

bool request_amx() {
#if defined(__x86_64__) && defined(__linux__)
  constexpr long kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM
  constexpr long kTileData = 18;               // XFEATURE_XTILEDATA
  return ::syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}

Result<Isa> choose_isa(std::string_view name, const std::vector<Isa>& usable) {
  if (name.empty() || name == "auto") return usable.back();
  const auto isa = kernels::isa_from_name(name);
  if (!isa) return invalid_input(fmt::format("isa is '{}', want one of {}", name, all_names()));
  if (contains(usable, *isa)) return *isa;
  return unsupported(
      fmt::format("isa {} is not available on this machine, which has {}", name, joined_names(usable)));
}

kernels::Machine machine_of(const platform::CpuInfo& cpu) {
  kernels::Machine machine;
  if (const auto* l1 = cpu.cache(1, "data"); l1 != nullptr && l1->size_bytes > 0)
    machine.l1_bytes = l1->size_bytes;
  const auto* l2 = cpu.cache(2, "unified");
  if (l2 == nullptr) l2 = cpu.cache(2, "data");
  if (l2 != nullptr && l2->size_bytes > 0) machine.l2_bytes = l2->size_bytes;
  // Both came with the same cores, of which a guest may see no tiles.
  machine.bf16_dots_are_slow = cpu.vendor == "GenuineIntel" && (cpu.has("amx_tile") || cpu.has("avx512_fp16"));
  return machine;
}

}  // namespace etalon::native
