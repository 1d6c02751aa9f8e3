// Work that a convolution or fully connected layer does while its result is still in registers, or while it
// loads.
#include <optional>
#include <utility>

#include "backends/native/rewrites/rewrite.h"

namespace etalon::native {
namespace {

using kernels::Activation;
using Residual = kernels::Epilogue::Residual;

constexpr std::size_t kImage = 0, kResidual = 3, kScale = 4;

std::optional<Activation> activation_of(kernels::Unary op) {
  using kernels::Unary;
  switch (op) {
    case Unary::kHardswish:
      return Activation::kHardswish;
    case Unary::kHardsigmoid:
      return Activation::kHardsigmoid;
    case Unary::kSigmoid:
      return Activation::kSigmoid;
    case Unary::kSilu:
      return Activation::kSilu;
    case Unary::kGelu:
      return Activation::kGelu;
    case Unary::kTanh:
      return Activation::kTanh;
    case Unary::kLeakyRelu:
      return Activation::kLeakyRelu;
    case Unary::kElu:
      return Activation::kElu;
    default:
      return std::nullopt;
  }
}

bool is_unclamped(float min, float max) { return min == -__builtin_inff() && max == __builtin_inff(); }

bool is_pointwise(const Conv& conv) {
  return !conv.is_linear && conv.kernel_h == 1 && conv.kernel_w == 1 && conv.stride_h == 1 &&
         conv.stride_w == 1 && conv.pad_top == 0 && conv.pad_left == 0 && conv.groups == 1;
}

// The product whose result `value` is, if adding a residual to it is all that happens to it.
Node* residual_host(Graph& graph, ValueId value, const Binary& add) {
  Node* product = graph.sole_producer<Conv>(value);
  if (product == nullptr) return nullptr;
  const kernels::Epilogue& epilogue = product->as<Conv>()->epilogue;
  if (epilogue.residual != Residual::kNone) return nullptr;
  const bool is_bare = epilogue.activation == Activation::kNone && is_unclamped(epilogue.min, epilogue.max);
  return is_bare || is_unclamped(add.min, add.max) ? product : nullptr;
}

}  // namespace

bool fuse_activation(Graph& graph, std::size_t index) {
  Node& node = graph.nodes[index];
  const auto* unary = node.as<Unary>();
  if (unary == nullptr) return false;
  const auto activation = activation_of(unary->op);
  Node* product = graph.sole_producer<Conv>(node.inputs[0]);
  if (!activation || product == nullptr) return false;
  kernels::Epilogue& epilogue = product->as<Conv>()->epilogue;
  if (epilogue.activation != Activation::kNone || epilogue.residual == Residual::kAfterActivation)
    return false;
  if (!is_unclamped(epilogue.min, epilogue.max)) return false;
  epilogue.activation = *activation;
  epilogue.alpha = unary->params.alpha;
  epilogue.min = unary->params.min;
  epilogue.max = unary->params.max;
  product->outputs[0] = node.output();
  absorb(*product, node);
  graph.sweep();
  return true;
}

// product + x: the sum takes the place of the addition, where x is known.
bool fuse_residual(Graph& graph, std::size_t index) {
  Node& node = graph.nodes[index];
  const auto* add = node.as<Binary>();
  if (add == nullptr || add->op != kernels::Binary::kAdd || node.inputs[0] == node.inputs[1]) return false;
  const Dims& dims = graph.values[node.output()].dims;
  if (graph.values[node.inputs[0]].dims != dims || graph.values[node.inputs[1]].dims != dims) return false;
  Node* first = residual_host(graph, node.inputs[0], *add);
  Node* second = residual_host(graph, node.inputs[1], *add);
  if (first == nullptr && second == nullptr) return false;
  // The later one, because the other operand is there by then without waiting.
  Node& product = first == nullptr || (second != nullptr && second > first) ? *second : *first;
  const ValueId residual = &product == second && second != nullptr ? node.inputs[0] : node.inputs[1];
  auto* conv = product.as<Conv>();
  const bool is_bare =
      conv->epilogue.activation == Activation::kNone && is_unclamped(conv->epilogue.min, conv->epilogue.max);
  conv->epilogue.residual = is_bare ? Residual::kBeforeActivation : Residual::kAfterActivation;
  if (is_bare) {
    conv->epilogue.min = add->min;
    conv->epilogue.max = add->max;
  }
  product.inputs[kResidual] = residual;
  product.outputs[0] = node.output();
  add_origin(product, node);
  node = std::exchange(product, Node{});
  graph.sweep();
  return true;
}

// Squeeze-and-excite: an image times one number per channel, read by nothing but a 1x1 convolution.
bool fuse_input_scale(Graph& graph, std::size_t index) {
  Node& node = graph.nodes[index];
  const auto* multiply = node.as<Binary>();
  if (multiply == nullptr || multiply->op != kernels::Binary::kMultiply ||
      !is_unclamped(multiply->min, multiply->max)) {
    return false;
  }
  const Dims& dims = graph.values[node.output()].dims;
  if (dims.size() != 4 || !graph.has_one_user(node.output())) return false;
  Node& user = graph.nodes[graph.users(node.output())[0]];
  auto* conv = user.as<Conv>();
  if (conv == nullptr || !is_pointwise(*conv) || user.inputs[kScale] != kNoValue) return false;
  if (user.inputs[kImage] != node.output() || user.inputs[kResidual] == node.output()) return false;
  const Dims gate = {dims[0], 1, 1, dims[3]};
  const bool second_is_gate = graph.values[node.inputs[1]].dims == gate;
  const std::size_t gate_slot = second_is_gate ? 1 : 0;
  if (graph.values[node.inputs[gate_slot]].dims != gate ||
      graph.values[node.inputs[1 - gate_slot]].dims != dims)
    return false;
  user.inputs[kImage] = node.inputs[1 - gate_slot];
  user.inputs[kScale] = node.inputs[gate_slot];
  absorb(user, node);
  graph.sweep();
  return true;
}

}  // namespace etalon::native
