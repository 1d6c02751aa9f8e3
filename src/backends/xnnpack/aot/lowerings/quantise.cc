// Quantisation to int8 with fixed scales, and back. Neither is a node where what it makes is already there: a
// tensor that was dequantised is held in int8 as well, and an operator that gives int8 takes the quantisation
// behind it over.
#include <fmt/core.h>

#include <algorithm>

#include "backends/xnnpack/aot/payload_builder.h"

namespace etalon::xnnpack {
namespace {

constexpr std::size_t kInput = 0;

bool is_float(const ir::TensorType& type) {
  return type.dtype == DType::kFloat32 || type.dtype == DType::kFloat16;
}

Refused refuse_quantise(const NodeArgs& a) {
  if (Refused found = refuse_affine(a.graph(), a.node())) return found;
  if (!is_float(a.type(kInput)))
    return Refusal{fmt::format("it quantises {}, want float32 or float16", name_of(a.type(kInput).dtype)),
                   {}};
  return std::nullopt;
}

// What other nodes read an int8 tensor as decides nothing here, unless it comes from outside: then all of
// them must agree.
Refused refuse_dequantise(const NodeArgs& a) {
  if (is_weight(a.graph(), a.node())) return std::nullopt;
  if (Refused found = refuse_affine(a.graph(), a.node())) return found;
  if (!is_float(a.out_type()))
    return Refusal{fmt::format("it gives {}, want float32 or float16", name_of(a.out_type().dtype)), {}};
  const ir::Value& input = a.graph()[a.value(kInput)];
  const Affine own = affine_of(a.node());
  const auto disagrees = [&](const ir::Node& node) { return !(affine_of(node) == own); };
  const Refusal inconsistent{
      "the int8 tensor is read with another scale or zero point than it was written with, or by others",
      "give both ends the same quantisation"};
  if (input.source == ir::ValueSource::kNode) {
    const ir::Node& producer = a.graph().nodes[input.source_index];
    if (is_quantise(producer)) return disagrees(producer) ? Refused(inconsistent) : std::nullopt;
  }
  for (const ir::Node& node : a.graph().nodes) {
    if (is_dequantise(node) && std::get<ir::ValueId>(node.args[0]) == a.value(kInput) && disagrees(node))
      return inconsistent;
  }
  return std::nullopt;
}

Status lower_quantise(PayloadBuilder& b, const NodeArgs& a) {
  const ValueId source = b.held(a.value(kInput));
  if (source != ir::kNoValue && b.storage(source).affine == affine_of(a.node())) {
    b.define(a.out(), b.natural(source));
    return {};
  }
  const Rep rep = b.natural(a.value(kInput));
  b.emit(xnn::NodeType::kConvert, {rep.id}, b.make_like(a.out(), rep));
  return {};
}

Status lower_dequantise(PayloadBuilder& b, const NodeArgs& a) {
  const ValueId source = a.value(kInput);
  const bool is_int8 =
      b.type(source).dtype == DType::kInt8 && is_dequantise(a.node()) && !refuse_affine(a.graph(), a.node());
  if (is_int8 && b.storage(source).affine == affine_of(a.node())) b.hold(a.out(), source);
  return {};  // others are weights, which are made floats where somebody asks for them
}

Refused refuse_at_run_time(const NodeArgs& a) {
  if (is_weight(a.graph(), a.node())) return std::nullopt;
  return Refusal{
      "its scale is chosen at run time, which XNNPACK does only for the rows of a matrix product or "
      "convolution with int8 weights",
      "quantise dynamically what feeds linear layers and convolutions, and the rest statically"};
}

Refused refuse_channels(const NodeArgs& a) {
  if (is_weight(a.graph(), a.node())) return std::nullopt;
  return Refusal{"an activation with a scale per channel: XNNPACK has those for constants only",
                 "quantise activations per tensor"};
}

Refused refuse_tokens(const NodeArgs&) {
  return Refusal{
      "an activation with a scale per row that does not feed a linear layer with symmetric int8 weights",
      "use int8 weights per channel"};
}

Status lower_weight(PayloadBuilder&, const NodeArgs&) { return {}; }

constexpr Lowering kRows[] = {
    {"quantized_decomposed::quantize_per_tensor", refuse_quantise, lower_quantise, true},
    {"quantized_decomposed::dequantize_per_tensor", refuse_dequantise, lower_dequantise, true},
    {"quantized_decomposed::dequantize_per_channel", refuse_channels, lower_weight, true},
    {"quantized_decomposed::dequantize_per_tensor.tensor", refuse_at_run_time, lower_weight, true},
    {"quantized_decomposed::quantize_per_tensor.tensor", refuse_at_run_time, lower_weight, true},
    {"quantized_decomposed::choose_qparams.tensor", refuse_at_run_time, lower_weight, true},
    {"quantized_decomposed::quantize_per_channel", refuse_channels, lower_weight, true},
    {"quantized_decomposed::choose_qparams_per_token_asymmetric", refuse_tokens, lower_weight, true},
    {"quantized_decomposed::quantize_per_token", refuse_tokens, lower_weight, true},
    {"quantized_decomposed::dequantize_per_token", refuse_tokens, lower_weight, true},
};

}  // namespace

extern constinit const LoweringFamily kQuantiseLowerings{kRows};

}  // namespace etalon::xnnpack
