// Folds an inference batch norm into the convolution before it:
//   y = (conv(x, w) + b - mean) * s + beta,  s = gamma / sqrt(var + eps)   (Ioffe and Szegedy 2015, section 3.1)
// becomes conv(x, w * s) + ((b - mean) * s + beta). Factors are computed in double and rounded once.
// Applies where the convolution feeds nothing else and all parameters are constants.
#include <cmath>
#include <cstring>

#include "ir/builder.h"
#include "ops/dispatch.h"
#include "passes/pass.h"

namespace etalon::passes {
namespace {

// Positions in aten::convolution and aten::_native_batch_norm_legit_no_training.
constexpr std::size_t kConvWeight = 1, kConvBias = 2, kConvTransposed = 6, kConvGroups = 8;
constexpr std::size_t kNormInput = 0, kNormWeight = 1, kNormBias = 2, kNormMean = 3, kNormVar = 4, kNormEps = 6;

struct Match {
  ir::Node* conv;
  ir::Node* norm;
};

const ir::Constant* constant_arg(const ir::Graph& graph, const ir::Arg& arg) {
  const auto* id = std::get_if<ir::ValueId>(&arg);
  const ir::Constant* constant = id && *id != ir::kNoValue ? graph.constant_of(*id) : nullptr;
  return constant && !constant->is_state ? constant : nullptr;
}

bool absent_or_constant(const ir::Graph& graph, const ir::Arg& arg) {
  return std::holds_alternative<std::monostate>(arg) || constant_arg(graph, arg) != nullptr;
}

bool matches(const ir::Graph& graph, const std::vector<std::uint32_t>& uses, const ir::Node& norm, const ir::Node& conv) {
  if (conv.dead || conv.op->functional_name != "aten::convolution") return false;
  if (uses[ir::index_of(conv.outs[0])] != 1) return false;
  if (uses[ir::index_of(norm.outs[1])] != 0 || uses[ir::index_of(norm.outs[2])] != 0) return false;
  return constant_arg(graph, conv.args[kConvWeight]) && absent_or_constant(graph, conv.args[kConvBias]) &&
         constant_arg(graph, norm.args[kNormMean]) && constant_arg(graph, norm.args[kNormVar]) &&
         absent_or_constant(graph, norm.args[kNormWeight]) && absent_or_constant(graph, norm.args[kNormBias]) &&
         std::holds_alternative<double>(norm.args[kNormEps]);
}

double channel_value(const ir::Graph& graph, const ir::Arg& arg, std::size_t channel, double otherwise) {
  const ir::Constant* constant = constant_arg(graph, arg);
  return constant ? ir::element_as_double(*constant, channel) : otherwise;
}

struct Affine {
  std::vector<double> scale;
  std::vector<double> shift;
};

Affine affine_of(const ir::Graph& graph, const Match& match, std::size_t channels) {
  const auto& args = match.norm->args;
  const double eps = std::get<double>(args[kNormEps]);
  Affine out;
  for (std::size_t c = 0; c < channels; ++c) {
    const double scale = channel_value(graph, args[kNormWeight], c, 1.0) / std::sqrt(channel_value(graph, args[kNormVar], c, 1.0) + eps);
    const double bias = channel_value(graph, match.conv->args[kConvBias], c, 0.0);
    out.scale.push_back(scale);
    out.shift.push_back((bias - channel_value(graph, args[kNormMean], c, 0.0)) * scale + channel_value(graph, args[kNormBias], c, 0.0));
  }
  return out;
}

// Scales the rows of a weight: element e belongs to output channel `channel_of(e)`.
template <class ChannelOf>
ir::Data scaled(const ir::Constant& weight, const std::vector<double>& scale, ChannelOf&& channel_of) {
  const Bytes bytes = weight.data.bytes();
  std::vector<std::byte> out(bytes.size());
  (void)ops::visit_floating(weight.type.dtype, [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    using Math = ops::MathTypeOf<T>;
    const std::size_t count = bytes.size() / sizeof(T);
    for (std::size_t i = 0; i < count; ++i) {
      T element;
      std::memcpy(&element, bytes.data() + i * sizeof(T), sizeof(T));
      const T product = T(static_cast<Math>(static_cast<double>(static_cast<Math>(element)) * scale[channel_of(i)]));
      std::memcpy(out.data() + i * sizeof(T), &product, sizeof(T));
    }
    return {};
  });
  return ir::Data::owned(std::move(out));
}

ir::Data stored(const std::vector<double>& values, DType dtype) {
  std::vector<std::byte> out(values.size() * size_of(dtype));
  (void)ops::visit_floating(dtype, [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const T element = T(static_cast<ops::MathTypeOf<T>>(values[i]));
      std::memcpy(out.data() + i * sizeof(T), &element, sizeof(T));
    }
    return {};
  });
  return ir::Data::owned(std::move(out));
}

void fold(ir::Graph& graph, const Match& match) {
  const ir::Constant& weight = *constant_arg(graph, match.conv->args[kConvWeight]);
  const auto channels = static_cast<std::size_t>(graph[match.conv->outs[0]].tensor().sizes[1]);
  const Affine affine = affine_of(graph, match, channels);
  const auto per_row = static_cast<std::size_t>(numel(weight.type.sizes)) / static_cast<std::size_t>(weight.type.sizes[0]);
  ir::Constant new_weight{weight.name + "_folded_" + std::to_string(graph.values.size()), weight.type, {}, true, false};
  if (std::get<bool>(match.conv->args[kConvTransposed])) {
    // Transposed weights are [in, out / groups, ...]: rows of input channels, grouped.
    const auto groups = static_cast<std::size_t>(std::get<std::int64_t>(match.conv->args[kConvGroups]));
    const std::size_t in_per_group = static_cast<std::size_t>(weight.type.sizes[0]) / groups;
    const std::size_t out_per_group = channels / groups;
    const std::size_t window = per_row / out_per_group;
    new_weight.data = scaled(weight, affine.scale, [=](std::size_t i) {
      return i / per_row / in_per_group * out_per_group + i / window % out_per_group;
    });
  } else {
    new_weight.data = scaled(weight, affine.scale, [=](std::size_t i) { return i / per_row; });
  }
  const DType dtype = weight.type.dtype;
  ir::Constant new_bias{new_weight.name + "_bias", ir::TensorType::of(dtype, {static_cast<std::int64_t>(channels)}),
                        stored(affine.shift, dtype), true, false};
  match.conv->args[kConvWeight] = graph.add_constant(std::move(new_weight));
  match.conv->args[kConvBias] = graph.add_constant(std::move(new_bias));
  graph.replace_uses(match.norm->outs[0], match.conv->outs[0]);
  match.norm->dead = true;
}

Result<std::uint32_t> run(ir::Graph& graph) {
  std::vector<std::uint32_t> uses = graph.use_counts();
  std::uint32_t folded = 0;
  for (ir::Node& norm : graph.nodes) {
    if (norm.dead || norm.op->functional_name != "aten::_native_batch_norm_legit_no_training") continue;
    const ir::Value& input = graph[std::get<ir::ValueId>(norm.args[kNormInput])];
    if (input.source != ir::ValueSource::kNode) continue;
    ir::Node& conv = graph.nodes[input.source_index];
    if (!matches(graph, uses, norm, conv) || !is_floating(graph[conv.outs[0]].tensor().dtype)) continue;
    fold(graph, {&conv, &norm});
    // The convolution now feeds whatever the norm fed; a second norm after it must see that.
    uses[ir::index_of(conv.outs[0])] = uses[ir::index_of(norm.outs[0])];
    ++folded;
  }
  return folded;
}

}  // namespace

extern const Pass kFoldBatchNorm;
constinit const Pass kFoldBatchNorm{"fold-batch-norm", "fold inference batch norms into convolutions", run};

}  // namespace etalon::passes
