// softmax(scale * q x k [+ mask]) x v as one operation, with its factors wherever a program puts them.
#include <optional>

#include "backends/native/rewrites/rewrite.h"

namespace etalon::native {
namespace {

bool is_unclamped(const Binary& binary) {
  return binary.min == -__builtin_inff() && binary.max == __builtin_inff();
}

// node = tensor * factor with a constant number.
struct Scaled {
  ValueId tensor;
  float factor;
};
std::optional<Scaled> scaled(const Graph& graph, const Node& node) {
  const auto* binary = node.as<Binary>();
  if (binary == nullptr || !is_unclamped(*binary)) return std::nullopt;
  if (binary->op != kernels::Binary::kMultiply && binary->op != kernels::Binary::kDivide) return std::nullopt;
  const bool divides = binary->op == kernels::Binary::kDivide;
  if (const float* number = scalar_of(graph.values[node.inputs[1]])) {
    return Scaled{node.inputs[0], divides ? 1 / *number : *number};
  }
  if (const float* number = scalar_of(graph.values[node.inputs[0]]); number != nullptr && !divides) {
    return Scaled{node.inputs[1], *number};
  }
  return std::nullopt;
}

bool is_view(const Node& node) {
  return node.as<Reshape>() != nullptr || node.as<Transpose>() != nullptr || node.as<Slice>() != nullptr;
}

// Takes a constant factor out of input `slot` of nodes[index], through views that only it reads. Nothing if
// there is none.
std::optional<float> take_factor(Graph& graph, std::size_t index, std::size_t slot) {
  std::size_t reader = index;
  std::size_t reader_slot = slot;
  for (;;) {
    const ValueId id = graph.nodes[reader].inputs[reader_slot];
    if (graph.producer(id) == Graph::kNone || !graph.has_one_user(id)) return std::nullopt;
    const Node& made = graph.nodes[graph.producer(id)];
    if (is_view(made)) {
      reader = graph.producer(id);
      reader_slot = 0;
      continue;
    }
    const auto parts = scaled(graph, made);
    if (!parts || graph.values[parts->tensor].dims != graph.values[id].dims) return std::nullopt;
    graph.nodes[reader].inputs[reader_slot] = parts->tensor;
    const float factor = parts->factor;
    graph.sweep();
    return factor;
  }
}

// Both see the same matrices: only outer dims are split or joined.
bool keeps_matrices(const Dims& a, const Dims& b) {
  return a.size() >= 2 && b.size() >= 2 && a[a.size() - 1] == b[b.size() - 1] &&
         a[a.size() - 2] == b[b.size() - 2];
}

// The producer of `value`, looking through one reshape of the outer dims, if nobody else reads what is
// between.
template <class T>
Node* through_reshape(Graph& graph, ValueId value) {
  if (Node* reshape = graph.sole_producer<Reshape>(value)) {
    const ValueId input = reshape->inputs[0];
    if (!keeps_matrices(graph.values[input].dims, graph.values[value].dims)) return nullptr;
    return graph.sole_producer<T>(input);
  }
  return graph.sole_producer<T>(value);
}

}  // namespace

// matmul(a * f, b) -> f * matmul(a, b), softmax(x * f), f * matmul(..): factors move into the node.
bool fold_factor(Graph& graph, std::size_t index) {
  if (graph.nodes[index].as<Matmul>() != nullptr) {
    for (const std::size_t slot : {std::size_t{0}, std::size_t{1}}) {
      const ValueId result = graph.nodes[index].output();
      if (const auto factor = take_factor(graph, index, slot)) {
        graph.nodes[graph.producer(result)].as<Matmul>()->scale *= *factor;
        return true;
      }
    }
    return false;
  }
  if (graph.nodes[index].as<Softmax>() != nullptr) {
    const ValueId result = graph.nodes[index].output();
    const auto factor = take_factor(graph, index, 0);
    if (factor) graph.nodes[graph.producer(result)].as<Softmax>()->scale *= *factor;
    return factor.has_value();
  }
  const auto parts = scaled(graph, graph.nodes[index]);
  if (!parts) return false;
  Node* product = graph.sole_producer<Matmul>(parts->tensor);
  Node& node = graph.nodes[index];
  if (product == nullptr || graph.values[node.output()].dims != graph.values[parts->tensor].dims)
    return false;
  product->as<Matmul>()->scale *= parts->factor;
  product->outputs[0] = node.output();
  absorb(*product, node);
  graph.sweep();
  return true;
}

namespace {

// The product that makes the scores, and what is added to them before the softmax.
struct Scores {
  Node* product = nullptr;
  Node* sum = nullptr;  // of scores and mask
  ValueId mask = kNoValue;
};

// One row or one matrix for all, or as many outer dims as the scores have, so that they broadcast alike.
bool is_mask(const Dims& mask, const Dims& scores, const Dims& seen) {
  if (mask.size() < 2 || mask.back() != scores.back()) return false;
  const std::int64_t rows = mask[mask.size() - 2];
  const bool is_one_matrix = numel(mask) == rows * mask.back() && (rows == 1 || rows == scores[scores.size() - 2]);
  return is_one_matrix || (mask.size() == scores.size() && seen == scores);
}

Scores scores_of(Graph& graph, ValueId value) {
  if (Node* product = through_reshape<Matmul>(graph, value)) return {product, nullptr, kNoValue};
  Node* sum = through_reshape<Binary>(graph, value);
  if (sum == nullptr || sum->as<Binary>()->op != kernels::Binary::kAdd || !is_unclamped(*sum->as<Binary>()))
    return {};
  const Dims& seen = graph.values[sum->output()].dims;
  for (const std::size_t slot : {std::size_t{0}, std::size_t{1}}) {
    if (graph.values[sum->inputs[slot]].dims != seen) continue;
    Node* product = through_reshape<Matmul>(graph, sum->inputs[slot]);
    const ValueId mask = sum->inputs[1 - slot];
    if (product == nullptr || !is_mask(graph.values[mask].dims, graph.values[product->output()].dims, seen))
      continue;
    return {product, sum, mask};
  }
  return {};
}

}  // namespace

bool fuse_attention(Graph& graph, std::size_t index) {
  Node& node = graph.nodes[index];
  const auto* second = node.as<Matmul>();
  if (second == nullptr || second->scale != 1.0f) return false;
  Node* softmax = through_reshape<Softmax>(graph, node.inputs[0]);
  if (softmax == nullptr) return false;
  const Scores scores = scores_of(graph, softmax->inputs[0]);
  const float softmax_scale = softmax->as<Softmax>()->scale;
  if (scores.product == nullptr || (scores.sum != nullptr && softmax_scale != 1.0f)) return false;
  // All three see the same outer dims, so that heads correspond.
  const Node& first = *scores.product;
  const Dims& sizes = graph.values[first.output()].dims;
  const auto rank_of = [&](ValueId id) { return graph.values[id].dims.size(); };
  if (graph.values[node.inputs[0]].dims != sizes || rank_of(first.inputs[0]) != sizes.size()) return false;
  if (rank_of(first.inputs[1]) != sizes.size() || rank_of(node.inputs[1]) != sizes.size()) return false;
  const float scale = first.as<Matmul>()->scale * softmax_scale;
  node.inputs = {first.inputs[0], first.inputs[1], node.inputs[1], scores.mask};
  node.params = Attention{scale};
  node.label = "Scaled Dot-Product Attention (NHTC, F32)";
  for (const Node* part : {static_cast<const Node*>(softmax), static_cast<const Node*>(scores.sum), &first}) {
    if (part != nullptr) add_origin(node, *part);
  }
  graph.sweep();
  return true;
}

}  // namespace etalon::native
