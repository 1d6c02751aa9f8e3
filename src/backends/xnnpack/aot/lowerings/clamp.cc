// Limits: fused into the node that computes their input where nobody else sees it, else a Clamp.
#include <fmt/core.h>

#include <limits>

#include "backends/xnnpack/aot/payload_builder.h"

namespace etalon::xnnpack {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

Limits limits_of(const NodeArgs& a) {
  const std::string& op = a.node().op->functional_name;
  if (op == "aten::relu") return {0, kInfinity};
  return {a.has(1) ? a.number(1) : -kInfinity, a.has(2) ? a.number(2) : kInfinity};
}

Refused refuse_limits(const NodeArgs& a) {
  for (std::size_t i = 1; i < a.node().args.size(); ++i) {
    if (a.has(i) && !a.is_number(i)) return Refusal{"a limit is computed at run time", "use fixed limits"};
  }
  const Limits limits = limits_of(a);
  if (!(static_cast<float>(limits.min) < static_cast<float>(limits.max))) {
    return Refusal{fmt::format("the limits {} and {} are not in rising order", limits.min, limits.max), "use a lower limit below the upper"};
  }
  return std::nullopt;
}

Status lower_limits(PayloadBuilder& b, const NodeArgs& a) {
  const Limits limits = limits_of(a);
  if (b.fuse_limits(a.value(0), a.out(), limits)) return {};
  const Rep rep = b.natural(a.value(0));
  xnn::Node& node = b.emit(xnn::NodeType::kClamp, {rep.id}, b.make_like(a.out(), rep));
  node.output_min = static_cast<float>(limits.min);
  node.output_max = static_cast<float>(limits.max);
  return {};
}

constexpr Lowering kRows[] = {{"aten::relu", refuse_limits, lower_limits},
                              {"aten::hardtanh", refuse_limits, lower_limits},
                              {"aten::clamp", refuse_limits, lower_limits}};

}  // namespace

extern constinit const LoweringFamily kClampLowerings{kRows};

}  // namespace etalon::xnnpack
