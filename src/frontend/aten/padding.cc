// Padding with constants, reflections, edges and the other side.
#include <fmt/core.h>

#include <algorithm>

#include "frontend/aten/rules.h"

namespace etalon::frontend {
namespace {

// Pairs of (before, after) start at the last dim. Each dim takes its ends from its other side.
ValueId pad_circular(Lowering& lo, ValueId x, const Ints& pad) {
  for (std::size_t i = 0; i + 1 < pad.size(); i += 2) {
    const auto along = static_cast<std::int64_t>(lo.dim(x, -1 - static_cast<std::int64_t>(i / 2)));
    const std::int64_t size = lo.static_size(x, static_cast<std::size_t>(along));
    if (pad[i] > size || pad[i + 1] > size || pad[i] < 0 || pad[i + 1] < 0) {
      refuse_input(fmt::format("circular padding of {} and {} around {} elements", pad[i], pad[i + 1], size));
    }
    ValueIds parts;
    if (pad[i] > 0) parts.push_back(lo.slice(x, along, size - pad[i], size));
    parts.push_back(x);
    if (pad[i + 1] > 0) parts.push_back(lo.slice(x, along, 0, pad[i + 1]));
    x = lo.cat(parts, along);
  }
  return x;
}

ValueIds pad(Lowering& lo, const Args& a) {
  const std::string& mode = a.text(2);
  const Ints amounts = a.ints(1);
  const auto all_zero = std::all_of(amounts.begin(), amounts.end(), [](std::int64_t v) { return v == 0; });
  if (all_zero) return {a.tensor(0)};
  if (mode == "constant") return {lo.op("aten::constant_pad_nd", a[0], amounts, a.number_or(3, 0))};
  if (mode == "circular") return {pad_circular(lo, a.tensor(0), amounts)};
  const std::size_t dims = amounts.size() / 2;
  if (dims < 1 || dims > 3) refuse(fmt::format("{} padding of {} dims is not supported", mode, dims));
  if (mode == "reflect") return {lo.op(fmt::format("aten::reflection_pad{}d", dims), a[0], amounts)};
  if (mode == "replicate") return {lo.op(fmt::format("aten::replication_pad{}d", dims), a[0], amounts)};
  refuse(fmt::format("padding mode '{}' is not supported", mode));
}

constexpr Rule kRows[] = {
    {"aten::pad(Tensor self, SymInt[] pad, str mode=\"constant\", float? value=None) -> Tensor", pad},
    {"aten::_pad_circular(Tensor self, SymInt[] pad) -> Tensor",
     [](Lowering& lo, const Args& a) -> ValueIds { return {pad_circular(lo, a.tensor(0), a.ints(1))}; }},
};

}  // namespace

constinit const RuleFamily kPaddingRules{kRows};

}  // namespace etalon::frontend
