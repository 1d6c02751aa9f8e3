// Activations that programs spell out in arithmetic.
#include <cmath>
#include <optional>

#include "backends/native/rewrites/rewrite.h"

namespace etalon::native {
namespace {

bool is_near(float a, float b) { return std::fabs(a - b) <= 1e-6f * std::fabs(b); }
bool is_unclamped(const Binary& binary) {
  return binary.min == -__builtin_inff() && binary.max == __builtin_inff();
}

// A number combined with a tensor.
struct WithNumber {
  ValueId tensor = kNoValue;
  float number = 0;
};
std::optional<WithNumber> with_number(const Graph& graph, const Node& node, kernels::Binary op) {
  const auto* binary = node.as<Binary>();
  if (binary == nullptr || binary->op != op) return std::nullopt;
  const bool commutes = op == kernels::Binary::kAdd || op == kernels::Binary::kMultiply;
  if (const float* number = scalar_of(graph.values[node.inputs[1]]))
    return WithNumber{node.inputs[0], *number};
  if (const float* number = scalar_of(graph.values[node.inputs[0]]); number != nullptr && commutes) {
    return WithNumber{node.inputs[1], *number};
  }
  return std::nullopt;
}

// node = x * factor, however it is written.
std::optional<WithNumber> scaled(const Graph& graph, const Node& node) {
  if (auto product = with_number(graph, node, kernels::Binary::kMultiply)) return product;
  auto quotient = with_number(graph, node, kernels::Binary::kDivide);
  if (quotient) quotient->number = 1 / quotient->number;
  return quotient;
}

// value = clamp(x + 3, 0, 6), used once.
ValueId clamped_sum(Graph& graph, ValueId value) {
  const Node* sum = graph.sole_producer<Binary>(value);
  if (sum == nullptr) return kNoValue;
  const auto parts = with_number(graph, *sum, kernels::Binary::kAdd);
  const auto* binary = sum->as<Binary>();
  const bool fits = parts && parts->number == 3.0f && binary->min == 0.0f && binary->max == 6.0f;
  return fits ? parts->tensor : kNoValue;
}

void replace_by_unary(Graph& graph, std::size_t index, kernels::Unary op, ValueId input) {
  Node& node = graph.nodes[index];
  node.params = Unary{op, {}};
  node.inputs = {input};
  graph.sweep();
}

}  // namespace

// x * x, however many read it
bool recognise_square(Graph& graph, std::size_t index) {
  const Node& node = graph.nodes[index];
  const auto* binary = node.as<Binary>();
  if (binary == nullptr || binary->op != kernels::Binary::kMultiply || node.inputs[0] != node.inputs[1])
    return false;
  const auto limits = *binary;
  graph.nodes[index].label = "Square (NC)";
  replace_by_unary(graph, index, kernels::Unary::kSquare, node.inputs[0]);
  auto& params = graph.nodes[index].as<Unary>()->params;
  params.min = limits.min;
  params.max = limits.max;
  return true;
}

// clamp(x + 3, 0, 6) / 6, and clamp(x / 6 + 1 / 2, 0, 1)
bool recognise_hardsigmoid(Graph& graph, std::size_t index) {
  Node& node = graph.nodes[index];
  const auto* binary = node.as<Binary>();
  if (binary == nullptr) return false;
  if (const auto product = scaled(graph, node);
      product && is_near(product->number, 1.0f / 6) && is_unclamped(*binary)) {
    const ValueId x = clamped_sum(graph, product->tensor);
    if (x == kNoValue || graph.values[x].dims != graph.values[node.output()].dims) return false;
    node.label = "HardSigmoid (NC)";
    replace_by_unary(graph, index, kernels::Unary::kHardsigmoid, x);
    return true;
  }
  const auto sum = with_number(graph, node, kernels::Binary::kAdd);
  if (!sum || sum->number != 0.5f || binary->min != 0.0f || binary->max != 1.0f) return false;
  const Node* inner = graph.sole_producer<Binary>(sum->tensor);
  if (inner == nullptr || !is_unclamped(*inner->as<Binary>())) return false;
  const auto product = scaled(graph, *inner);
  if (!product || !is_near(product->number, 1.0f / 6)) return false;
  if (graph.values[product->tensor].dims != graph.values[node.output()].dims) return false;
  node.label = "HardSigmoid (NC)";
  replace_by_unary(graph, index, kernels::Unary::kHardsigmoid, product->tensor);
  return true;
}

// x * hardsigmoid(x) and x * sigmoid(x), and the former's x * clamp(x + 3, 0, 6) / 6
bool recognise_gated(Graph& graph, std::size_t index) {
  Node& node = graph.nodes[index];
  const auto* binary = node.as<Binary>();
  if (binary == nullptr || !is_unclamped(*binary)) return false;
  if (binary->op == kernels::Binary::kMultiply) {
    for (const std::size_t gate_slot : {std::size_t{0}, std::size_t{1}}) {
      const Node* gate = graph.sole_producer<Unary>(node.inputs[gate_slot]);
      const ValueId x = node.inputs[1 - gate_slot];
      if (gate == nullptr || gate->inputs[0] != x) continue;
      const auto* unary = gate->as<Unary>();
      if (unary->params.min > 0 || unary->params.max < 1) continue;
      if (unary->op != kernels::Unary::kHardsigmoid && unary->op != kernels::Unary::kSigmoid) continue;
      const bool is_hard = unary->op == kernels::Unary::kHardsigmoid;
      node.label = is_hard ? "HardSwish (NC)" : "Sigmoid (NC)";
      replace_by_unary(graph, index, is_hard ? kernels::Unary::kHardswish : kernels::Unary::kSilu, x);
      return true;
    }
  }
  const auto product = scaled(graph, node);
  if (!product || !is_near(product->number, 1.0f / 6)) return false;
  const Node* inner = graph.sole_producer<Binary>(product->tensor);
  if (inner == nullptr || inner->as<Binary>()->op != kernels::Binary::kMultiply) return false;
  if (!is_unclamped(*inner->as<Binary>())) return false;
  for (const std::size_t gate_slot : {std::size_t{0}, std::size_t{1}}) {
    const ValueId x = clamped_sum(graph, inner->inputs[gate_slot]);
    if (x == kNoValue || x != inner->inputs[1 - gate_slot]) continue;
    node.label = "HardSwish (NC)";
    replace_by_unary(graph, index, kernels::Unary::kHardswish, x);
    return true;
  }
  return false;
}

}  // namespace etalon::native
