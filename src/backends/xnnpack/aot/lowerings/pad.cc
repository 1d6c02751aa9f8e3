// Padding with a constant.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "backends/xnnpack/aot/payload_builder.h"

namespace etalon::xnnpack {
namespace {

constexpr std::size_t kInput = 0, kPad = 1, kValue = 2;

Refused refuse_pad(const NodeArgs& a) {
  const std::vector<std::int64_t> pad = a.ints(kPad);
  if (std::ranges::any_of(pad, [](std::int64_t p) { return p < 0; })) {
    return Refusal{"a negative or computed amount of padding", "crop with a slice instead"};
  }
  return std::nullopt;
}

// In int8 if the value that is put around is a number there.
PayloadBuilder::Moved names(PayloadBuilder& b, const NodeArgs& a) {
  const ValueId held = b.held(a.value(kInput));
  if (held == ir::kNoValue) return {a.value(kInput), a.out()};
  const Affine affine = b.storage(held).affine;
  const double stored = a.number(kValue) / affine.scale + affine.zero_point;
  const auto result = b.quantised_result(a.out(), false);
  const bool is_rounded = result && result->affine == affine;
  if (!is_rounded && (stored != std::nearbyint(stored) || stored < -128 || stored > 127))
    return {a.value(kInput), a.out()};
  return b.moved(a.value(kInput), a.out());
}

// Amounts are given for the last dim first: [before, after, before of the dim before it, ...].
Status lower_pad(PayloadBuilder& b, const NodeArgs& a) {
  const auto [in, out] = names(b, a);
  const Rep rep = b.exact(in);
  const std::vector<std::int64_t> pad = a.ints(kPad);
  xnn::Pad params;
  params.value = static_cast<float>(a.number(kValue));
  for (const std::uint8_t dim : rep.order) {
    const std::size_t from_end = rep.order.size() - 1 - dim;
    const bool padded = 2 * from_end + 1 < pad.size();
    params.before.push_back(padded ? static_cast<std::uint32_t>(pad[2 * from_end]) : 0);
    params.after.push_back(padded ? static_cast<std::uint32_t>(pad[2 * from_end + 1]) : 0);
  }
  b.emit(xnn::NodeType::kStaticConstantPad, {rep.id}, b.make(out, rep.order), std::move(params));
  return {};
}

constexpr Lowering kRows[] = {{"aten::constant_pad_nd", refuse_pad, lower_pad}};

}  // namespace

extern constinit const LoweringFamily kPadLowerings{kRows};

}  // namespace etalon::xnnpack
