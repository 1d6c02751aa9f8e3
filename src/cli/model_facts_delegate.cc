#include "cli/model_facts_delegate.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "backends/native/shapes.h"
#include "base/checked.h"

namespace etalon::cli {
namespace {

namespace xnn = formats::xnn;
using xnn::DataType;
using xnn::NodeType;

std::string_view dtype_name(DataType type) {
  switch (type) {
    case DataType::kFp32:
    case DataType::kPfp32:
      return "float32";
    case DataType::kFp16:
      return "float16";
    case DataType::kBf16:
      return "bfloat16";
    case DataType::kQint8:
    case DataType::kQcint8:
    case DataType::kQdint8:
    case DataType::kQpint8:
      return "int8";
    case DataType::kQuint8:
      return "uint8";
    case DataType::kQcint4:
    case DataType::kQbint4:
      return "int4";
    default:
      return "int32";
  }
}

bool is_weight(DataType type) { return type != DataType::kInt32 && type != DataType::kInvalid; }

Dims physical_dims(const TensorView& tensor) {
  Dims dims;
  for (const std::uint8_t dim : tensor.order()) dims.push_back(tensor.size(dim));
  if (dims.empty()) dims.push_back(1);
  return dims;
}

// Doubles, because claimed sizes may be anything.
double count_of(const Dims& dims) {
  double count = 1;
  for (const std::int64_t size : dims) count *= static_cast<double>(size);
  return count;
}

double bytes_of(DataType type, const Dims& dims) {
  if (xnn::bits_of(type) != 4) return count_of(dims) * static_cast<double>(xnn::bits_of(type)) / 8;
  Dims packed = dims;  // two numbers a byte, rows begin at a byte
  if (!packed.empty()) packed[packed.size() - 1] = (packed.back() + 1) / 2;
  return count_of(packed);
}

double positions(const Dims& image) {  // of [N, H, W, C]
  return image.size() == 4 ? static_cast<double>(image[0]) * static_cast<double>(image[1]) * static_cast<double>(image[2]) : 0;
}

// Arithmetic by node type; a multiply-add counts as two, as do kernels' own numbers (backends/native/operations).
class Arithmetic {
 public:
  Arithmetic(const xnn::Node& node, std::span<const Dims> in, std::span<const Dims> out)
      : node_(node), in_(in), out_(out) {}

  double flops() const {
    switch (node_.type) {
      case NodeType::kConv2d:
      case NodeType::kDepthwiseConv2d:
        return convolution(std::get<xnn::Conv>(node_.params));
      case NodeType::kConvTranspose2d:
        return transposed(std::get<xnn::Conv>(node_.params));
      case NodeType::kFullyConnected:
        return linear();
      case NodeType::kBatchMatrixMultiply:
        return in_[0].empty() ? 0 : 2 * count_of(out_[0]) * static_cast<double>(depth());
      case NodeType::kScaledDotProductAttention:
        return attention();
      case NodeType::kMaxPooling2d:
      case NodeType::kAvgPooling2d:
      case NodeType::kArgMaxPooling2d: {
        const auto& pool = std::get<xnn::Pool>(node_.params);
        return count_of(out_[0]) * pool.pooling_height * pool.pooling_width;
      }
      case NodeType::kGlobalAvgPooling2d:
        return count_of(in_[0]);
      case NodeType::kSoftmax:
        return 5 * count_of(out_[0]);
      case NodeType::kStaticResizeBilinear2D:
        return 9 * count_of(out_[0]);
      default:
        return moves_only() ? 0 : count_of(out_[0]);
    }
  }

  std::int64_t depth() const { return in_[0].back(); }

 private:
  bool moves_only() const {
    switch (node_.type) {
      case NodeType::kStaticTranspose:
      case NodeType::kStaticReshape:
      case NodeType::kStaticSlice:
      case NodeType::kStaticConstantPad:
      case NodeType::kConcatenate2:
      case NodeType::kConcatenate3:
      case NodeType::kConcatenate4:
      case NodeType::kConcatenate5:
      case NodeType::kCopy:
        return true;
      default:
        return false;
    }
  }

  double convolution(const xnn::Conv& conv) const {
    const double taps = static_cast<double>(conv.kernel_height) * conv.kernel_width;
    return 2 * count_of(out_[0]) * taps * conv.group_input_channels;
  }

  double transposed(const xnn::Conv& conv) const {
    const double taps = static_cast<double>(conv.kernel_height) * conv.kernel_width;
    return 2 * positions(in_[0]) * taps * conv.groups * static_cast<double>(conv.group_input_channels) *
           conv.group_output_channels;
  }

  double linear() const {
    if (in_[0].empty()) return 0;
    return 2 * count_of(out_[0]) * static_cast<double>(depth());
  }

  // Query and key products, softmax, value product.
  double attention() const {
    if (in_[0].size() < 2 || in_[1].size() < 2 || in_[0].back() == 0) return 0;
    const double scores = count_of(in_[0]) / static_cast<double>(depth()) * static_cast<double>(in_[1][in_[1].size() - 2]);
    return scores * (4 * static_cast<double>(depth()) + 5);
  }

  const xnn::Node& node_;
  std::span<const Dims> in_, out_;
};

class DelegateFacts {
 public:
  DelegateFacts(const xnn::Graph& graph, const DelegateUse& use, const ModelValues& values)
      : graph_(graph), use_(use), values_(values) {
    dims_.resize(graph.values.size());
    numbers_.resize(graph.values.size(), -1);
    for (std::size_t i = 0; i < graph.values.size(); ++i) {
      const xnn::Value& value = graph.values[i];
      places_[value.id] = i;
      dims_[i] = claimed(value);
      numbers_[i] = use.first_value + static_cast<std::int64_t>(i);
      if (value.is_external() && value.external_id < use.args.size()) bind_argument(i, use.args[value.external_id]);
    }
  }

  std::vector<analysis::NodeFacts> run() {
    std::vector<analysis::NodeFacts> nodes;
    nodes.reserve(graph_.nodes.size());
    for (const xnn::Node& node : graph_.nodes) {
      nodes.push_back(facts_of(node));
      nodes.back().node = static_cast<std::int64_t>(nodes.size() - 1);
    }
    return nodes;
  }

 private:
  static Dims claimed(const xnn::Value& value) {
    const auto dims = native::dims_of(value);
    return dims.ok() ? *dims : Dims{};
  }

  void bind_argument(std::size_t place, std::int32_t argument) {
    numbers_[place] = argument;
    const TensorView* view = values_.view(argument);
    if (graph_.values[place].is_input() && view != nullptr && native::check_size(physical_dims(*view)).ok()) {
      dims_[place] = physical_dims(*view);
    }
  }

  const xnn::Value& value(std::uint32_t id) const { return graph_.values[places_.at(id)]; }
  const Dims& dims(std::uint32_t id) const { return dims_[places_.at(id)]; }

  bool is_constant(std::uint32_t id) const {
    const xnn::Value& found = value(id);
    if (found.constant != 0) return true;
    return found.is_input() && found.external_id < use_.args.size() && values_.is_constant(use_.args[found.external_id]);
  }

  std::string text(std::uint32_t id) const { return std::string(dtype_name(value(id).type)) + to_string(dims(id)); }

  analysis::NodeFacts facts_of(const xnn::Node& node) {
    infer(node);
    analysis::NodeFacts facts;
    facts.instruction = use_.instruction;
    facts.backend = use_.backend;
    facts.op = std::string(xnn::name_of(node.type));
    if (node.debug_handle != xnn::kNoDebugHandle) facts.debug_handle = node.debug_handle;
    add_inputs(node, facts);
    for (const std::uint32_t id : node.outputs) {
      facts.outputs.push_back(text(id));
      facts.written_bytes += bytes_of(value(id).type, dims(id));
      facts.writes.push_back(numbers_[places_.at(id)]);
    }
    if (node.type == NodeType::kStaticSlice) facts.read_bytes = std::min(facts.read_bytes, facts.written_bytes);
    if (!node.outputs.empty()) facts.dtype = std::string(dtype_name(value(node.outputs[0]).type));
    facts.compute_dtype = std::string(compute_dtype(node));
    const Arithmetic arithmetic(node, in_, out_);
    if (!in_.empty() && !out_.empty()) facts.flops = arithmetic.flops();
    add_padding(node, facts);
    add_attributes(node, facts);
    return facts;
  }

  // Sizes of the outputs; those the payload claims where they do not follow.
  void infer(const xnn::Node& node) {
    in_.assign(node.inputs.size(), Dims{});
    for (std::size_t k = 0; k < node.inputs.size(); ++k) {
      if (node.inputs[k] != xnn::kNoValue) in_[k] = dims(node.inputs[k]);
    }
    out_.assign(node.outputs.size(), Dims{});
    const bool inferred = native::infer_outputs(node, in_, out_).ok();
    for (std::size_t k = 0; k < node.outputs.size(); ++k) {
      Dims& place = dims_[places_.at(node.outputs[k])];
      if (inferred) place = out_[k];
      out_[k] = place;
    }
  }

  void add_inputs(const xnn::Node& node, analysis::NodeFacts& facts) const {
    for (std::size_t k = 0; k < node.inputs.size(); ++k) {
      const std::uint32_t id = node.inputs[k];
      if (id == xnn::kNoValue) continue;
      facts.inputs.push_back(text(id));
      if (std::find(node.inputs.begin(), node.inputs.begin() + static_cast<std::ptrdiff_t>(k), id) !=
          node.inputs.begin() + static_cast<std::ptrdiff_t>(k)) {
        continue;
      }
      (is_constant(id) ? facts.weight_bytes : facts.read_bytes) += bytes_of(value(id).type, dims(id));
      if (!is_constant(id)) facts.reads.push_back(numbers_[places_.at(id)]);
    }
  }

  // The activations' type; of a conversion, that of the float side, in which it computes.
  std::string_view compute_dtype(const xnn::Node& node) const {
    if (node.inputs.empty() || node.inputs[0] == xnn::kNoValue) return "";
    const DataType in = value(node.inputs[0]).type;
    if (node.type != NodeType::kConvert || node.outputs.empty()) return dtype_name(in);
    const DataType out = value(node.outputs[0]).type;
    return dtype_name(in == DataType::kFp32 || in == DataType::kFp16 ? in : out);
  }

  // 4-bit weights lie two in a byte: kernels multiply with the odd row's empty half too.
  void add_padding(const xnn::Node& node, analysis::NodeFacts& facts) const {
    if (node.type != NodeType::kFullyConnected || node.inputs.size() < 2 || in_[0].empty()) return;
    if (xnn::bits_of(value(node.inputs[1]).type) != 4 || in_[0].back() % 2 == 0) return;
    const auto depth = static_cast<double>(in_[0].back());
    facts.padded_flops = facts.flops / depth * (depth + 1);
  }

  void add_attributes(const xnn::Node& node, analysis::NodeFacts& facts) const {
    auto& put = facts.attributes;
    const bool low = std::isfinite(node.output_min), high = std::isfinite(node.output_max);
    if (low) put["output_min"] = node.output_min;
    if (high) put["output_max"] = node.output_max;
    if ((low || high) && node.type != NodeType::kClamp) put["fused_activation"] = 1;
    if (const auto* conv = std::get_if<xnn::Conv>(&node.params)) put_conv(node, *conv, put);
    if (const auto* pool = std::get_if<xnn::Pool>(&node.params)) put_pool(*pool, put);
    if (const auto* resize = std::get_if<xnn::Resize>(&node.params)) {
      put["output_height"] = resize->height;
      put["output_width"] = resize->width;
      put["align_corners"] = (node.flags & xnn::kAlignCorners) != 0 ? 1 : 0;
    }
    if (const auto* transpose = std::get_if<xnn::Transpose>(&node.params)) {
      for (std::size_t i = 0; i < transpose->perm.size(); ++i) put[fmt::format("dims_{}", i)] = transpose->perm[i];
    }
    if (const auto* concatenate = std::get_if<xnn::Concatenate>(&node.params)) put["axis"] = concatenate->axis;
    if (node.type == NodeType::kFullyConnected && !in_[0].empty() && !out_[0].empty()) {
      put["input_channels"] = static_cast<double>(in_[0].back());
      put["output_channels"] = static_cast<double>(out_[0].back());
    }
  }

  static void put_conv(const xnn::Node& node, const xnn::Conv& conv, std::map<std::string, double>& put) {
    put["kernel_height"] = conv.kernel_height;
    put["kernel_width"] = conv.kernel_width;
    put["stride_height"] = conv.subsampling_height;
    put["stride_width"] = conv.subsampling_width;
    put["dilation_height"] = conv.dilation_height;
    put["dilation_width"] = conv.dilation_width;
    put["padding_top"] = conv.padding_top;
    put["padding_bottom"] = conv.padding_bottom;
    put["padding_left"] = conv.padding_left;
    put["padding_right"] = conv.padding_right;
    put["groups"] = conv.groups;
    put["transposed"] = node.type == NodeType::kConvTranspose2d ? 1 : 0;
    put["input_channels"] = static_cast<double>(conv.groups) * conv.group_input_channels;
    put["output_channels"] = static_cast<double>(conv.groups) * conv.group_output_channels;
  }

  static void put_pool(const xnn::Pool& pool, std::map<std::string, double>& put) {
    put["kernel_height"] = pool.pooling_height;
    put["kernel_width"] = pool.pooling_width;
    put["stride_height"] = pool.stride_height;
    put["stride_width"] = pool.stride_width;
    put["padding_top"] = pool.padding_top;
    put["padding_bottom"] = pool.padding_bottom;
    put["padding_left"] = pool.padding_left;
    put["padding_right"] = pool.padding_right;
  }

  const xnn::Graph& graph_;
  const DelegateUse& use_;
  const ModelValues& values_;
  std::unordered_map<std::uint32_t, std::size_t> places_;
  std::vector<Dims> dims_;
  std::vector<std::int64_t> numbers_;
  std::vector<Dims> in_, out_;  // of the node at hand
};

}  // namespace

std::vector<analysis::NodeFacts> delegate_facts(const xnn::Graph& graph, const DelegateUse& use, const ModelValues& values) {
  return DelegateFacts(graph, use, values).run();
}

double parameters_of(const xnn::Graph& graph, std::unordered_set<std::string>& seen) {
  std::unordered_set<std::uint32_t> counted;
  double elements = 0;
  for (const xnn::Value& value : graph.values) {
    if (value.constant == 0 || !is_weight(value.type)) continue;
    const xnn::ConstantData& data = graph.constants[value.constant];
    if (data.key ? !seen.insert(*data.key).second : !counted.insert(value.constant).second) continue;
    double count = 1;
    for (const std::uint32_t size : value.dims) count *= size;
    elements += count;
  }
  return elements;
}

}  // namespace etalon::cli
