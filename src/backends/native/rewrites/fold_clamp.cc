// A clamp becomes the limits of what it clamps.
#include <algorithm>

#include "backends/native/rewrites/rewrite.h"

namespace etalon::native {
namespace {

struct Limits {
  float* min;
  float* max;
};

Limits limits_of(Node& node) {
  if (auto* conv = node.as<Conv>()) {
    if (conv->epilogue.residual == kernels::Epilogue::Residual::kAfterActivation) return {};
    return {&conv->epilogue.min, &conv->epilogue.max};
  }
  if (auto* binary = node.as<Binary>()) return {&binary->min, &binary->max};
  if (auto* unary = node.as<Unary>()) return {&unary->params.min, &unary->params.max};
  if (auto* pool = node.as<Pool>()) return {&pool->min, &pool->max};
  if (auto* average = node.as<GlobalAverage>()) return {&average->min, &average->max};
  return {};
}

}  // namespace

bool fold_clamp(Graph& graph, std::size_t index) {
  Node& node = graph.nodes[index];
  const auto* clamp = node.as<Unary>();
  if (clamp == nullptr || clamp->op != kernels::Unary::kClamp || !(clamp->params.min <= clamp->params.max))
    return false;
  const ValueId input = node.inputs[0];
  if (!graph.has_one_user(input) || graph.producer(input) == Graph::kNone) return false;
  Node& made = graph.nodes[graph.producer(input)];
  const Limits limits = limits_of(made);
  if (limits.min == nullptr || !(*limits.min <= *limits.max)) return false;
  *limits.min = std::clamp(*limits.min, clamp->params.min, clamp->params.max);
  *limits.max = std::clamp(*limits.max, clamp->params.min, clamp->params.max);
  made.outputs[0] = node.output();
  absorb(made, node);
  graph.sweep();
  return true;
}

}  // namespace etalon::native
