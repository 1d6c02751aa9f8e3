// Limits: fused into the node that computes their input where nobody else sees it, else a Clamp.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
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

// True if int8 numbers of this kind can be the limit, or it limits nothing.
bool is_exact(double limit, const Affine& affine) {
  if (std::isinf(limit)) return true;
  const double number = limit / affine.scale + affine.zero_point;
  return number == std::nearbyint(number) && number >= -128 && number <= 127;
}

// What is held in int8 stays there, if the limits are numbers of its kind, or become so in what reads the
// result alone.
bool lower_quantised(PayloadBuilder& b, const NodeArgs& a, Limits limits) {
  const ValueId in = b.held(a.value(0));
  if (in == ir::kNoValue) return false;
  const Affine affine = b.storage(in).affine;
  const auto result = b.quantised_result(a.out(), true);
  const bool joins = result && result->affine == affine;
  if (!joins && !(is_exact(limits.min, affine) && is_exact(limits.max, affine))) return false;
  if (joins)
    limits = {std::clamp(limits.min, result->limits.min, result->limits.max),
              std::clamp(limits.max, result->limits.min, result->limits.max)};
  if (!(limits.min < limits.max)) return false;
  const ValueId out = joins ? b.hold_result(a.out(), *result) : b.hold_new(a.out(), affine);
  if (b.fuse_limits(in, out, limits)) return true;
  const Rep rep = b.natural(in);
  xnn::Node& node = b.emit(xnn::NodeType::kClamp, {rep.id}, b.make_like(out, rep));
  node.output_min = static_cast<float>(limits.min);
  node.output_max = static_cast<float>(limits.max);
  return true;
}

Status lower_limits(PayloadBuilder& b, const NodeArgs& a) {
  const Limits limits = limits_of(a);
  if (lower_quantised(b, a, limits)) return {};
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

std::optional<Limits> limits_of(const ir::Graph& graph, const ir::Node& node) {
  const Lowering* lowering = find_lowering(node);
  const NodeArgs args(graph, node);
  if (lowering == nullptr || lowering->lower != lower_limits || refuse_limits(args)) return std::nullopt;
  return limits_of(args);
}

}  // namespace etalon::xnnpack
