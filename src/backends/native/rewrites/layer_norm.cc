// Layer normalisation that a program spells out: (x - mean) / sqrt(mean of its square + epsilon) * gamma +
// beta, where means are products with a column of equal weights or averages.
#include <cmath>
#include <optional>

#include "backends/native/rewrites/rewrite.h"

namespace etalon::native {
namespace {

bool is_unclamped(float min, float max) { return min == -__builtin_inff() && max == __builtin_inff(); }

const Binary* plain_binary(const Node* node, kernels::Binary op) {
  const auto* binary = node == nullptr ? nullptr : node->as<Binary>();
  return binary != nullptr && binary->op == op && is_unclamped(binary->min, binary->max) ? binary : nullptr;
}

// What is looked at through any number of reshapes.
ValueId behind_reshapes(Graph& graph, ValueId value) {
  while (const Node* reshape = graph.producer_as<Reshape>(value)) value = reshape->inputs[0];
  return value;
}

bool is_all(const Value& value, float expected) {
  if (!value.is_constant() || !value.is_float()) return false;
  const auto* data = reinterpret_cast<const float*>(value.constant.data());
  for (std::int64_t i = 0; i < value.elements(); ++i) {
    if (std::fabs(data[i] - expected) > 1e-6f * expected) return false;
  }
  return true;
}

// The tensor whose mean over the last dim, of `count` elements, `value` is.
ValueId averaged(Graph& graph, ValueId value, std::int64_t count) {
  const ValueId mean = behind_reshapes(graph, value);
  if (graph.values[mean].elements() != graph.values[value].elements()) return kNoValue;
  const Node* product = graph.producer_as<Conv>(mean);
  if (product == nullptr) return kNoValue;
  const Conv& conv = *product->as<Conv>();
  const Value& filter = graph.values[product->inputs[1]];
  const bool is_bare = conv.is_linear && conv.epilogue.activation == kernels::Activation::kNone &&
                       conv.epilogue.residual == kernels::Epilogue::Residual::kNone &&
                       is_unclamped(conv.epilogue.min, conv.epilogue.max) && product->inputs[2] == kNoValue;
  const bool averages = filter.elements() == count && graph.values[product->inputs[0]].dims.back() == count &&
                        is_all(filter, 1.0f / static_cast<float>(count));
  return is_bare && averages ? behind_reshapes(graph, product->inputs[0]) : kNoValue;
}

// value = sqrt(variance + epsilon), or one over it.
struct Deviation {
  ValueId variance;
  float epsilon;
};
std::optional<Deviation> deviation(Graph& graph, ValueId value, kernels::Unary root) {
  const Node* unary = graph.producer_as<Unary>(behind_reshapes(graph, value));
  if (unary == nullptr || unary->as<Unary>()->op != root) return std::nullopt;
  const Node* sum = graph.producer_as<Binary>(behind_reshapes(graph, unary->inputs[0]));
  if (plain_binary(sum, kernels::Binary::kAdd) == nullptr) return std::nullopt;
  for (const std::size_t slot : {std::size_t{0}, std::size_t{1}}) {
    if (const float* epsilon = scalar_of(graph.values[sum->inputs[slot]])) {
      return Deviation{sum->inputs[1 - slot], *epsilon};
    }
  }
  return std::nullopt;
}

// x, if `centred` = x - mean(x) and `spread` is its deviation.
struct Norm {
  ValueId x;
  float epsilon;
};
std::optional<Norm> normalised(Graph& graph, ValueId centred, ValueId spread, kernels::Unary root) {
  const Node* difference = graph.producer_as<Binary>(behind_reshapes(graph, centred));
  if (plain_binary(difference, kernels::Binary::kSubtract) == nullptr) return std::nullopt;
  const ValueId x = difference->inputs[0];
  const Dims& dims = graph.values[x].dims;
  if (dims.empty() || graph.values[difference->output()].dims != dims) return std::nullopt;
  const std::int64_t count = dims.back();
  if (averaged(graph, difference->inputs[1], count) != behind_reshapes(graph, x)) return std::nullopt;
  const auto found = deviation(graph, spread, root);
  if (!found) return std::nullopt;
  const ValueId squares = averaged(graph, found->variance, count);
  if (squares == kNoValue) return std::nullopt;
  const Node* square = graph.producer_as<Unary>(squares);
  if (square == nullptr || square->as<Unary>()->op != kernels::Unary::kSquare) return std::nullopt;
  if (!is_unclamped(square->as<Unary>()->params.min, square->as<Unary>()->params.max)) return std::nullopt;
  if (behind_reshapes(graph, square->inputs[0]) != difference->output()) return std::nullopt;
  return Norm{x, found->epsilon};
}

bool is_per_column(const Graph& graph, ValueId id, std::int64_t columns) {
  const Value& value = graph.values[id];
  return value.is_constant() && value.is_float() && value.elements() == columns && !value.dims.empty() &&
         value.dims.back() == columns;
}

}  // namespace

bool recognise_layer_norm(Graph& graph, std::size_t index) {
  Node& node = graph.nodes[index];
  const bool multiplies = plain_binary(&node, kernels::Binary::kMultiply) != nullptr;
  if (!multiplies && plain_binary(&node, kernels::Binary::kDivide) == nullptr) return false;
  const kernels::Unary root = multiplies ? kernels::Unary::kReciprocalSqrt : kernels::Unary::kSqrt;
  auto norm = normalised(graph, node.inputs[0], node.inputs[1], root);
  if (!norm && multiplies) norm = normalised(graph, node.inputs[1], node.inputs[0], root);
  if (!norm || graph.values[norm->x].dims != graph.values[node.output()].dims) return false;
  node.params = LayerNorm{norm->epsilon};
  node.inputs = {norm->x, kNoValue, kNoValue};
  node.label = "Layer Normalization (NC, F32)";
  graph.sweep();
  return true;
}

// gamma and beta
bool fold_layer_norm_affine(Graph& graph, std::size_t index) {
  Node& node = graph.nodes[index];
  const bool is_gamma = plain_binary(&node, kernels::Binary::kMultiply) != nullptr;
  if (!is_gamma && plain_binary(&node, kernels::Binary::kAdd) == nullptr) return false;
  for (const std::size_t slot : {std::size_t{0}, std::size_t{1}}) {
    Node* norm = graph.sole_producer<LayerNorm>(node.inputs[slot]);
    if (norm == nullptr) continue;
    const Dims& dims = graph.values[norm->output()].dims;
    const ValueId factor = node.inputs[1 - slot];
    if (dims != graph.values[node.output()].dims || !is_per_column(graph, factor, dims.back())) continue;
    if (norm->inputs[2] != kNoValue || (is_gamma && norm->inputs[1] != kNoValue)) continue;
    norm->inputs[is_gamma ? 1 : 2] = factor;
    norm->outputs[0] = node.output();
    absorb(*norm, node);
    graph.sweep();
    return true;
  }
  return false;
}

}  // namespace etalon::native
