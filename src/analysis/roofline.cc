#include "analysis/roofline.h"

#include <fmt/core.h>

#include <array>

namespace etalon::analysis {
namespace {

struct NamedWay {
  std::array<std::string_view, 2> parts;  // all of which the kernel's name holds
  KernelWay way;
};

// Multiplications per output of a 3x3 convolution: 9 directly, (6 * 6) / (4 * 4) and (4 * 4) / (2 * 2) by Lavin and
// Gray, "Fast Algorithms for Convolutional Neural Networks", 2015; the transforms around them come on top.
// float32 numbers in three or two bfloat16 parts take six or three products.
constexpr std::array<NamedWay, 4> kWays = {{
    {{"winograd", "f4x4"}, {2.25 / 9, "", "Winograd F(4x4)"}},
    {{"winograd", "f2x2"}, {4.0 / 9, "", "Winograd F(2x2)"}},
    {{"bf16x6", ""}, {6, "bfloat16", "6 bfloat16 products"}},
    {{"bf16x3", ""}, {3, "bfloat16", "3 bfloat16 products"}},
}};

struct LeastTime {
  Roof roof;
  KernelWay way;
};

std::optional<LeastTime> least_time(const Ceilings& ceilings, std::string_view isa, const Profile& profile,
                                    const OperatorRow& row) {
  const double calls = row.calls > 0 ? row.calls : 1;
  const double flops = row.flops.value_or(0) / calls, bytes = row.bytes.value_or(0) / calls;
  LeastTime out;
  out.way = way_of(row.kernel_hint);
  const std::string_view dtype = out.way.dtype.empty() ? std::string_view(row.dtype) : out.way.dtype;
  std::optional<Roof> roof = roof_of(ceilings, flops * out.way.work, bytes, dtype, isa, profile.threads);
  if (!roof) roof = roof_of(ceilings, 0, bytes, dtype, isa, profile.threads);
  if (!roof) return std::nullopt;
  out.roof = *roof;
  out.roof.ms *= calls;
  return out;
}

}  // namespace

KernelWay way_of(std::string_view kernel) {
  for (const NamedWay& named : kWays) {
    bool holds = true;
    for (const std::string_view part : named.parts) holds = holds && kernel.find(part) != std::string_view::npos;
    if (holds) return named.way;
  }
  return {};
}

void attach_roofs(const Ceilings& ceilings, std::string_view isa, Profile& profile) {
  for (OperatorRow& row : profile.operators) {
    const auto least = least_time(ceilings, isa, profile, row);
    if (!least) continue;
    row.attainable_ms = least->roof.ms;
    if (row.avg_ms > 0 && !row.below_resolution) row.share_of_roof = least->roof.ms / row.avg_ms;
    row.bound = least->roof.memory_bound ? "memory" : "compute";
    row.roof = least->roof.limit;
    if (!least->roof.memory_bound && !least->way.name.empty()) row.roof += fmt::format(", {}", least->way.name);
  }
}

}  // namespace etalon::analysis
