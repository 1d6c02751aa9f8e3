#include "quantize/rewrite.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <set>

#include "ir/builder.h"
#include "quantize/weights.h"

namespace etalon::quantize {
namespace {

using ir::Arg;
using ir::Node;
using ir::ValueId;
using ir::ValueIds;

constexpr std::string_view kPrefix = "quantized_decomposed::";
constexpr std::size_t kConvBias = 2, kConvGroups = 8;
constexpr auto kInt8 = static_cast<std::int64_t>(DType::kInt8);
// torchao's: the smallest scale that dynamic parameters may have.
constexpr double kDynamicEpsilon = 1.0 / 4096;

// Of a bias as a multiple of input scale * weight scale: leaves half of 32 bits' range to the sum of
// products.
constexpr double kLargestBias = 1 << 30;

template <class T>
ir::Data data_of(const std::vector<T>& values) {
  std::vector<std::byte> bytes(values.size() * sizeof(T));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return ir::Data::owned(std::move(bytes));
}

void replace_in(Node& node, ValueId from, ValueId to) {
  for (Arg& arg : node.args) {
    ir::for_each_value(arg, [&](ValueId& id) {
      if (id == from) id = to;
    });
  }
}

bool reads(const Node& node, ValueId id) {
  bool found = false;
  for (const Arg& arg : node.args) {
    ir::for_each_value(arg, [&](const ValueId& used) { found = found || used == id; });
  }
  return found;
}

// Takes the nodes out of the graph and puts them back one by one, with new ones before and after.
class Rewriter {
 public:
  Rewriter(ir::Graph& graph, const Plan& plan, const Calibration& calibration, WeightForm form)
      : graph_(graph),
        plan_(plan),
        params_(calibration.params),
        means_(calibration.means),
        form_(form),
        builder_(graph) {}

  Result<Readings> run() {
    const std::size_t count = graph_.nodes.size();
    site_of_.assign(count, nullptr);
    for (std::size_t s = 0; s < plan_.sites.size(); ++s) {
      if (!plan_.is_quantised(s)) continue;
      for (const ir::NodeId node : plan_.sites[s].nodes) site_of_[ir::index_of(node)] = &plan_.sites[s];
    }
    std::vector<Node> nodes = std::move(graph_.nodes);
    graph_.nodes.clear();
    for (std::size_t n = 0; n < count; ++n) ETALON_CHECKED(place(n, std::move(nodes[n])));
    for (ir::Output& output : graph_.outputs) {
      ir::for_each_value(output.value, [&](ValueId& id) { id = read_by_float(id); });
    }
    return std::move(given_);
  }

 private:
  Status place(std::size_t n, Node node) {
    const Site* site = site_of_[n];
    builder_.set_origin(node.origin);
    for (Arg& arg : node.args) {
      ir::for_each_value(arg, [&](ValueId& id) { id = read_by_float(id); });
    }
    if (site != nullptr) ETALON_CHECKED(quantise_operands(*site, node));
    const ValueIds outs = node.outs;
    for (const ValueId out : outs) graph_[out].source_index = static_cast<std::uint32_t>(graph_.nodes.size());
    graph_.nodes.push_back(std::move(node));
    const bool gives = site != nullptr && !plan_.dynamic && ir::index_of(site->nodes.back()) == n;
    if (!gives) return {};
    for (const ValueId out : site->outputs) {
      ETALON_TRY(const ValueId reading, add_pair(out));
      given_[out] = reading;
    }
    return {};
  }

  // What a reader sees of a value: the int8 one if it was computed as such.
  ValueId read_by_float(ValueId id) const {
    const auto found = given_.find(id);
    return found == given_.end() ? id : found->second;
  }

  // A node of a site that computes on int8. Values that such sites give were replaced before.
  Status quantise_operands(const Site& site, Node& node) {
    for (const ValueId input : site.inputs) {
      if (!reads(node, input)) continue;
      ETALON_TRY(const ValueId reading, plan_.dynamic ? dynamic_reading(site, input) : static_reading(input));
      replace_in(node, input, reading);
    }
    if (site.weight != ir::kNoValue && reads(node, site.weight)) {
      ETALON_TRY(const ValueId weight, weight_reading(site, node), graph_[site.weight].name);
      replace_in(node, site.weight, weight);
    }
    if (site.constant != ir::kNoValue && reads(node, site.constant)) {
      ETALON_TRY(const ValueId constant, constant_reading(site.constant), graph_[site.constant].name);
      replace_in(node, site.constant, constant);
    }
    return {};
  }

  // -- Activations

  // quantize, dequantize
  Result<ValueId> add_pair(ValueId value) {
    const Params& params = params_[plan_.group_of[ir::index_of(value)]];
    ETALON_TRY(const ValueId codes, call("quantize_per_tensor", {value, params.scale, params.zero_point,
                                                                 kActivationLow, kHigh, kInt8}));
    return call("dequantize_per_tensor",
                {codes, params.scale, params.zero_point, kActivationLow, kHigh, kInt8});
  }

  Result<ValueId> static_reading(ValueId input) {
    if (const auto found = read_.find({input, Role::kUnary}); found != read_.end()) return found->second;
    ETALON_TRY(const ValueId reading, add_pair(input));
    return read_[{input, Role::kUnary}] = reading;
  }

  Result<ValueId> dynamic_reading(const Site& site, ValueId input) {
    if (const auto found = read_.find({input, site.role}); found != read_.end()) return found->second;
    ETALON_TRY(const ValueId reading, site.role == Role::kLinear ? per_row(input) : per_tensor(input));
    return read_[{input, site.role}] = reading;
  }

  Result<ValueId> per_row(ValueId input) {
    ETALON_TRY(const ValueIds params, call_all("choose_qparams_per_token_asymmetric", {input, kInt8}));
    ETALON_TRY(const ValueId codes,
               call("quantize_per_token", {input, params[0], params[1], kActivationLow, kHigh, kInt8}));
    return call("dequantize_per_token", {codes, params[0], params[1], kActivationLow, kHigh, kInt8,
                                         static_cast<std::int64_t>(DType::kFloat32)});
  }

  Result<ValueId> per_tensor(ValueId input) {
    ETALON_TRY(const ValueIds params,
               call_all("choose_qparams.tensor", {input, kActivationLow, kHigh, kDynamicEpsilon, kInt8}));
    ETALON_TRY(const ValueId codes, call("quantize_per_tensor.tensor",
                                         {input, params[0], params[1], kActivationLow, kHigh, kInt8}));
    return call("dequantize_per_tensor.tensor", {codes, params[0], params[1], kActivationLow, kHigh, kInt8});
  }

  // -- Weights and other constants

  // By channel, the smallest scale with which the bias fits 31 bits beside its sum of products.
  std::vector<double> least_scales(const Site& site, const Node& node, std::size_t channels) const {
    if (plan_.dynamic) return {};
    const bool is_convolution = site.role == Role::kConvolution;
    if (!is_convolution && node.args.size() < 3) return {};
    const auto* bias = std::get_if<ValueId>(&node.args[is_convolution ? kConvBias : 0]);
    if (bias == nullptr || *bias == ir::kNoValue) return {};
    const Params& input = params_[plan_.group_of[ir::index_of(site.inputs[0])]];
    const std::vector<float> values = floats_of(*graph_.constant_of(*bias));
    std::vector<double> least;
    for (std::size_t c = 0; c < channels && c < values.size(); ++c) {
      least.push_back(static_cast<double>(std::abs(values[c])) / (input.scale * kLargestBias));
    }
    return least.size() == channels ? least : std::vector<double>{};
  }

  // The node's bias becomes one that makes up for what rounding its weights takes from the mean.
  void correct_bias(const Site& site, Node& node, std::span<const float> weight,
                    std::span<const float> rounded_weight) {
    const auto found = means_.find(site.inputs[0]);
    const bool is_convolution = site.role == Role::kConvolution;
    if (found == means_.end() || site.kind == "conv_transpose" || (!is_convolution && node.args.size() < 3))
      return;
    const auto channels = static_cast<std::size_t>(graph_[node.outs[0]].tensor().sizes[1]);
    const auto groups = is_convolution
                            ? static_cast<std::size_t>(std::get<std::int64_t>(node.args[kConvGroups]))
                            : std::size_t{1};
    std::vector<float> bias = lost_means(weight, rounded_weight, channels, groups, found->second);
    Arg& arg = node.args[is_convolution ? kConvBias : 0];
    std::string name = site.name + "_bias";
    if (const auto* id = std::get_if<ValueId>(&arg); id != nullptr && *id != ir::kNoValue) {
      const std::vector<float> plain = floats_of(*graph_.constant_of(*id));
      for (std::size_t c = 0; c < channels; ++c) bias[c] += plain[c];
      name = graph_[*id].name + "_corrected";
    }
    arg = add_constant(unused_name(name), DType::kFloat32, {static_cast<std::int64_t>(channels)},
                       data_of(bias));
  }

  Result<ValueId> weight_reading(const Site& site, Node& node) {
    const ir::Constant constant = *graph_.constant_of(site.weight);  // a copy: adding constants moves them
    std::vector<float> weight = floats_of(constant);
    Dims sizes = constant.type.sizes;
    const bool is_linear = site.role == Role::kLinear;
    if (is_linear) {
      weight = transposed(weight, static_cast<std::size_t>(sizes[0]), static_cast<std::size_t>(sizes[1]));
      std::swap(sizes[0], sizes[1]);
    }
    const std::size_t axis = site.kind == "conv_transpose" ? 1 : 0;
    const ChannelView view = channels_along(sizes, axis);
    ETALON_TRY(WeightCodes codes,
               quantise_weight(weight, view, plan_.per_channel, least_scales(site, node, view.channels)));
    correct_bias(site, node, weight, rounded(codes, view));
    for (const Stored& stored : weights_) {
      if (stored.weight == site.weight && stored.scales == codes.scales) return stored.reading;
    }
    const std::vector<float> scales = codes.scales;
    ValueId reading = ir::kNoValue;
    if (form_ == WeightForm::kRounded) {
      reading = rounded_weight(constant, view, codes, is_linear);
    } else {
      ETALON_TRY(reading, dequantised_weight(constant.name, sizes, axis, std::move(codes)));
      if (is_linear) {
        ETALON_TRY(reading, builder_.call("aten::permute_copy", {reading, ir::literal_ints({1, 0})}));
      }
    }
    weights_.push_back({site.weight, scales, reading});
    return reading;
  }

  ValueId rounded_weight(const ir::Constant& constant, const ChannelView& view, const WeightCodes& codes,
                         bool is_linear) {
    std::vector<float> values = rounded(codes, view);
    if (is_linear) values = transposed(values, view.channels, view.after);
    ir::Constant result{unused_name(constant.name) + "_rounded",
                        ir::TensorType::of(DType::kFloat32, constant.type.sizes), data_of(values), true,
                        false};
    return graph_.add_constant(std::move(result));
  }

  Result<ValueId> dequantised_weight(const std::string& name, const Dims& sizes, std::size_t axis,
                                     WeightCodes codes) {
    const std::string stem = unused_name(name);
    const ValueId int8 = add_constant(stem + "_int8", DType::kInt8, sizes, data_of(codes.codes));
    if (!plan_.per_channel) {
      return call("dequantize_per_tensor",
                  {int8, static_cast<double>(codes.scales[0]), std::int64_t{0}, kWeightLow, kHigh, kInt8});
    }
    const Dims channels{static_cast<std::int64_t>(codes.scales.size())};
    const ValueId scales = add_table(stem + "_scales", DType::kFloat32, channels, data_of(codes.scales));
    const ValueId zeros = add_table(stem + "_zero_points", DType::kInt64, channels,
                                    data_of(std::vector<std::int64_t>(codes.scales.size(), 0)));
    return call("dequantize_per_channel",
                {int8, scales, zeros, static_cast<std::int64_t>(axis), kWeightLow, kHigh, kInt8});
  }

  // The constant operand of an addition or product: affine, over its own range.
  Result<ValueId> constant_reading(ValueId id) {
    if (const auto found = read_.find({id, Role::kBinary}); found != read_.end()) return found->second;
    const ir::Constant constant = *graph_.constant_of(id);
    const std::vector<float> values = floats_of(constant);
    if (!std::ranges::all_of(values, [](float x) { return std::isfinite(x); }))
      return invalid_input("has NaN or infinite elements");
    const auto [low, high] = std::ranges::minmax(values);
    const Params params = activation_params({static_cast<double>(low), static_cast<double>(high)});
    std::vector<std::int8_t> codes;
    for (const float x : values) codes.push_back(quantised(x, params, kActivationLow));
    const ValueId int8 =
        add_constant(unused_name(constant.name) + "_int8", DType::kInt8, constant.type.sizes, data_of(codes));
    ETALON_TRY(const ValueId reading, call("dequantize_per_tensor", {int8, params.scale, params.zero_point,
                                                                     kActivationLow, kHigh, kInt8}));
    return read_[{id, Role::kBinary}] = reading;
  }

  // -- Making values

  std::string unused_name(const std::string& name) {
    return stems_.insert(name).second ? name : fmt::format("{}_{}", name, graph_.values.size());
  }
  ValueId add_constant(std::string name, DType dtype, const Dims& sizes, ir::Data data) {
    return graph_.add_constant(
        {std::move(name), ir::TensorType::of(dtype, sizes), std::move(data), true, false});
  }
  // Scales and zero points, which nobody trained.
  ValueId add_table(std::string name, DType dtype, const Dims& sizes, ir::Data data) {
    return graph_.add_constant(
        {std::move(name), ir::TensorType::of(dtype, sizes), std::move(data), false, false});
  }
  Result<ValueIds> call_all(std::string_view op, std::vector<Arg> args) {
    return builder_.call_all(fmt::format("{}{}", kPrefix, op), std::move(args));
  }
  Result<ValueId> call(std::string_view op, std::vector<Arg> args) {
    return builder_.call(fmt::format("{}{}", kPrefix, op), std::move(args));
  }

  struct Stored {
    ValueId weight;
    std::vector<float> scales;
    ValueId reading;
  };

  ir::Graph& graph_;
  const Plan& plan_;
  std::span<const Params> params_;
  const InputMeans& means_;
  WeightForm form_;
  ir::Builder builder_;
  std::vector<const Site*> site_of_;                  // by node of the original graph
  Readings given_;                                    // computed on int8 -> what everyone reads
  std::map<std::pair<ValueId, Role>, ValueId> read_;  // computed in float -> what int8 reads
  std::vector<Stored> weights_;
  std::set<std::string> stems_;
};

}  // namespace

Result<Readings> quantise(ir::Graph& graph, const Plan& plan, const Calibration& calibration,
                          WeightForm form) {
  ETALON_CHECK(plan.dynamic || calibration.params.size() == plan.groups.size());
  return Rewriter(graph, plan, calibration, form).run();
}

}  // namespace etalon::quantize
