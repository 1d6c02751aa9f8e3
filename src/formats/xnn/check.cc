#include "formats/xnn/check.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "fmt/format.h"
#include "formats/xnn/node_fields.h"

namespace etalon::formats::xnn {
namespace {

// ExecuTorch's own limit.
constexpr std::uint32_t kMaxExterns = 4096;

bool is_one_of(DataType type, std::initializer_list<DataType> list) {
  return std::find(list.begin(), list.end(), type) != list.end();
}

bool is_scale(float scale) { return std::isfinite(scale) && scale > 0; }

Status check_scales(const std::vector<float>& scales) {
  for (std::size_t i = 0; i < scales.size(); ++i) {
    if (!is_scale(scales[i])) {
      return invalid_input(fmt::format("scale {} is {}, want a positive number", i, scales[i]));
    }
  }
  return {};
}

class ValueCheck {
 public:
  ValueCheck(const Graph& graph, const Value& value) : graph_(graph), value_(value) {}

  Status run() const {
    ETALON_CHECKED(check_dims());
    ETALON_CHECKED(check_role());
    ETALON_CHECKED(check_constant(value_.constant, "constant"));
    ETALON_CHECKED(check_data());
    return std::visit([this](const auto& quantization) { return check(quantization); }, value_.quantization);
  }

 private:
  Status check_dims() const {
    if (value_.dims.size() > kMaxDims) {
      return invalid_input(
          fmt::format("it has {} dims, at most {} are possible", value_.dims.size(), kMaxDims));
    }
    if (value_.type == DataType::kInvalid) return invalid_input("its data type is invalid");
    return {};
  }

  Status check_role() const {
    if ((value_.flags & ~(kExternalInput | kExternalOutput)) != 0) {
      return unsupported(
          fmt::format("its flags are {}, only input (1) and output (2) are known", value_.flags));
    }
    if (value_.is_input() && value_.is_output()) return invalid_input("it is both an input and an output");
    if (value_.is_external() && value_.constant != 0) {
      return invalid_input("it is a constant and also an input or output");
    }
    if (value_.is_external() && value_.external_id >= graph_.num_externs) {
      return invalid_input(
          fmt::format("its external id is {}, want one below {}", value_.external_id, graph_.num_externs));
    }
    return {};
  }

  Status check_constant(std::uint32_t index, std::string_view what) const {
    if (index == 0 || index < graph_.constants.size()) return {};
    return invalid_input(
        fmt::format("its {} is number {}, there are {}", what, index, graph_.constants.size()));
  }

  // The size of named data is not known here.
  Status check_data() const {
    if (value_.constant == 0) return {};
    const auto needed = dense_nbytes(value_);
    if (!needed) return invalid_input("its size overflows");
    const ConstantData& data = graph_.constants[value_.constant];
    if (data.key || data.inline_data.size() >= *needed) return {};
    return invalid_input(
        fmt::format("constant {} has {} bytes, want {}", value_.constant, data.inline_data.size(), *needed));
  }

  Status want_type(std::initializer_list<DataType> list, std::string_view quantization) const {
    if (is_one_of(value_.type, list)) return {};
    return invalid_input(
        fmt::format("{} values have no {} quantisation", name_of(value_.type), quantization));
  }

  Status check(const std::monostate&) const {
    if (is_one_of(value_.type,
                  {DataType::kFp32, DataType::kFp16, DataType::kInt32, DataType::kPfp32, DataType::kBf16})) {
      return {};
    }
    return invalid_input(fmt::format("{} lacks its quantisation", name_of(value_.type)));
  }

  Status check(const PerTensorQuant& quant) const {
    ETALON_CHECKED(want_type({DataType::kQint8, DataType::kQuint8, DataType::kQint32}, "per-tensor"));
    if (!is_scale(quant.scale)) {
      return invalid_input(fmt::format("its scale is {}, want a positive number", quant.scale));
    }
    const bool is_signed = value_.type == DataType::kQint8;
    const std::int32_t low = is_signed ? -128 : 0;
    const std::int32_t high = is_signed ? 127 : value_.type == DataType::kQuint8 ? 255 : 0;
    if (quant.zero_point >= low && quant.zero_point <= high) return {};
    return invalid_input(
        fmt::format("its zero point is {}, want one in {}..{}", quant.zero_point, low, high));
  }

  Status check(const PerChannelQuant& quant) const {
    ETALON_CHECKED(want_type({DataType::kQcint8, DataType::kQcint4, DataType::kQcint32}, "per-channel"));
    ETALON_CHECKED(check_channel_dim(quant.channel_dim));
    ETALON_CHECKED(check_constant(quant.scale_constant, "scale constant"));
    ETALON_CHECKED(check_scales(quant.scales));
    return check_scale_count(quant.scale_constant, quant.scales.size(), sizeof(float),
                             value_.dims[static_cast<std::size_t>(quant.channel_dim)]);
  }

  Status check(const PerTokenDynamicQuant& quant) const {
    ETALON_CHECKED(want_type({DataType::kQdint8, DataType::kQpint8}, "per-token"));
    if (value_.constant != 0) return invalid_input("a dynamically quantised value cannot be a constant");
    const auto count = static_cast<std::size_t>(quant.num_nonbatch_dims);
    if (quant.num_nonbatch_dims >= 1 && count <= value_.dims.size()) return {};
    return invalid_input(fmt::format("it has {} dims, of which {} cannot be quantised together",
                                     value_.dims.size(), quant.num_nonbatch_dims));
  }

  Status check(const PerChannelGroupQuant& quant) const {
    ETALON_CHECKED(want_type({DataType::kQbint4}, "per-group"));
    ETALON_CHECKED(check_constant(quant.scale_constant, "scale constant"));
    if (value_.dims.size() != 2) return invalid_input("groups of scales want a matrix");
    const std::uint64_t columns = value_.dims[1];
    const auto size = static_cast<std::uint64_t>(std::max(quant.group_size, 0));
    if (size == 0 || columns % size != 0) {
      return invalid_input(fmt::format("groups of {} do not divide {} columns", quant.group_size, columns));
    }
    ETALON_CHECKED(check_scales(quant.scales));
    const std::size_t written = quant.scales.empty() ? quant.scales_bf16.size() : quant.scales.size();
    return check_scale_count(quant.scale_constant, written, sizeof(std::uint16_t),
                             value_.dims[0] * (columns / size));
  }

  Status check_channel_dim(std::int32_t dim) const {
    if (dim >= 0 && static_cast<std::size_t>(dim) < value_.dims.size()) return {};
    return invalid_input(fmt::format("its channel dim is {}, want one below {}", dim, value_.dims.size()));
  }

  Status check_scale_count(std::uint32_t constant, std::size_t written, std::size_t width,
                           std::uint64_t wanted) const {
    std::uint64_t found = written;
    if (constant != 0) {
      const ConstantData& data = graph_.constants[constant];
      if (data.key) return {};
      found = data.inline_data.size() / width;
    }
    if (found >= wanted) return {};
    return invalid_input(fmt::format("it has {} scales, want {}", found, wanted));
  }

  const Graph& graph_;
  const Value& value_;
};

Status check_perm(const std::vector<std::uint32_t>& perm) {
  if (perm.size() > kMaxDims) return invalid_input(fmt::format("it permutes {} dims", perm.size()));
  std::uint32_t seen = 0;
  for (const std::uint32_t dim : perm) seen |= dim < kMaxDims ? 1u << dim : 0;
  if (seen + 1 == 1u << perm.size()) return {};
  return invalid_input(fmt::format("[{}] is not a permutation", fmt::join(perm, ", ")));
}

Status want_positive(std::initializer_list<std::uint32_t> numbers, std::string_view what) {
  if (std::find(numbers.begin(), numbers.end(), 0u) == numbers.end()) return {};
  return invalid_input(fmt::format("its {} is 0", what));
}

struct ParamsCheck {
  NodeFields fields;

  Status want(NodeFields expected) const {
    if (fields == expected) return {};
    return invalid_input("its parameters are those of another node type");
  }
  Status operator()(const std::monostate&) const {
    switch (fields) {
      case NodeFields::kUnary:
      case NodeFields::kBinary:
      case NodeFields::kFullyConnected:
      case NodeFields::kAttention:
        return {};
      default:
        return invalid_input("it lacks its parameters");
    }
  }
  Status operator()(const Conv& conv) const {
    ETALON_CHECKED(want(NodeFields::kConv));
    ETALON_CHECKED(want_positive({conv.kernel_height, conv.kernel_width}, "kernel"));
    ETALON_CHECKED(want_positive({conv.subsampling_height, conv.subsampling_width}, "stride"));
    ETALON_CHECKED(want_positive({conv.dilation_height, conv.dilation_width}, "dilation"));
    return want_positive({conv.groups, conv.group_input_channels, conv.group_output_channels},
                         "number of groups or of channels");
  }
  // Dilation is 0 where the type has none.
  Status operator()(const Pool& pool) const {
    if (fields != NodeFields::kArgMaxPool) ETALON_CHECKED(want(NodeFields::kPool));
    ETALON_CHECKED(want_positive({pool.pooling_height, pool.pooling_width}, "window"));
    return want_positive({pool.stride_height, pool.stride_width}, "stride");
  }
  Status operator()(const Transpose& transpose) const {
    ETALON_CHECKED(want(NodeFields::kTranspose));
    return check_perm(transpose.perm);
  }
  Status operator()(const Reshape& reshape) const {
    ETALON_CHECKED(want(NodeFields::kReshape));
    ETALON_CHECKED(check_length(reshape.shape.size()));
    if (std::count(reshape.shape.begin(), reshape.shape.end(), 0u) <= 1) return {};
    return invalid_input(fmt::format("[{}] leaves more than one dim open", fmt::join(reshape.shape, ", ")));
  }
  Status operator()(const Slice& slice) const {
    ETALON_CHECKED(want(NodeFields::kSlice));
    ETALON_CHECKED(check_length(slice.offsets.size()));
    return check_pair(slice.offsets.size(), slice.sizes.size());
  }
  Status operator()(const Pad& pad) const {
    ETALON_CHECKED(want(NodeFields::kPad));
    ETALON_CHECKED(check_length(pad.before.size()));
    return check_pair(pad.before.size(), pad.after.size());
  }
  Status operator()(const Resize& resize) const {
    ETALON_CHECKED(want(NodeFields::kResize));
    return want_positive({resize.height, resize.width}, "new size");
  }
  Status operator()(const Concatenate&) const { return want(NodeFields::kConcatenate); }
  Status operator()(const Elu&) const { return want(NodeFields::kElu); }
  Status operator()(const LeakyRelu&) const { return want(NodeFields::kLeakyRelu); }

  static Status check_length(std::size_t dims) {
    if (dims <= kMaxDims) return {};
    return invalid_input(fmt::format("it names {} dims, at most {} are possible", dims, kMaxDims));
  }
  static Status check_pair(std::size_t first, std::size_t second) {
    if (first == second) return {};
    return invalid_input(fmt::format("its lists have {} and {} numbers, want as many", first, second));
  }
};

class GraphCheck {
 public:
  explicit GraphCheck(const Graph& graph) : graph_(graph) {}

  Status run() {
    if (graph_.num_externs > kMaxExterns) {
      return invalid_input(
          fmt::format("{} external values, at most {} are possible", graph_.num_externs, kMaxExterns));
    }
    ETALON_CHECKED(check_values());
    for (const auto* list : {&graph_.input_ids, &graph_.output_ids}) {
      for (const std::uint32_t id : *list) {
        if (known_.count(id) == 0)
          return invalid_input(fmt::format("the listed input or output {} is no value", id));
      }
    }
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      ETALON_CHECKED(check_node(graph_.nodes[i]),
                     fmt::format("node {} ({})", i, name_of(graph_.nodes[i].type)));
    }
    for (const Value& value : graph_.values) {
      if (!value.is_output() || is_known(value.id)) continue;
      return invalid_input(fmt::format("output {} is never computed", value.id));
    }
    return {};
  }

 private:
  Status check_values() {
    std::vector<bool> taken(graph_.num_externs);
    for (const Value& value : graph_.values) {
      if (value.id == kNoValue || !known_.emplace(value.id, value.is_input() || value.constant != 0).second) {
        return invalid_input(fmt::format("value id {} is reserved or used twice", value.id));
      }
      ETALON_CHECKED(ValueCheck(graph_, value).run(), fmt::format("value {}", value.id));
      if (!value.is_external()) continue;
      if (taken[value.external_id]) {
        return invalid_input(fmt::format("external id {} is used twice", value.external_id));
      }
      taken[value.external_id] = true;
    }
    return {};
  }

  Status check_node(const Node& node) {
    const auto tag = static_cast<std::size_t>(node.type);
    if (tag == 0 || tag > kNodeTypeCount) return unsupported(fmt::format("node type {} is unknown", tag));
    if (node.inputs.size() != input_count(node.type) || node.outputs.size() != output_count(node.type)) {
      return invalid_input(fmt::format("{} inputs and {} outputs, want {} and {}", node.inputs.size(),
                                       node.outputs.size(), input_count(node.type), output_count(node.type)));
    }
    if (!(node.output_min < node.output_max)) {
      return invalid_input(fmt::format("its smallest output {} is not below its largest {}", node.output_min,
                                       node.output_max));
    }
    ETALON_CHECKED(std::visit(ParamsCheck{fields_of(node.type)}, node.params));
    for (std::size_t i = 0; i < node.inputs.size(); ++i) ETALON_CHECKED(check_input(node, i));
    for (const std::uint32_t id : node.outputs) ETALON_CHECKED(produce(id));
    return {};
  }

  Status check_input(const Node& node, std::size_t index) const {
    const std::uint32_t id = node.inputs[index];
    if (id == kNoValue && may_be_missing(node.type, index)) return {};
    const auto found = known_.find(id);
    if (found == known_.end()) return invalid_input(fmt::format("input {} is no value", id));
    if (found->second) return {};
    return invalid_input(fmt::format("input {} is not computed before it is used", id));
  }

  Status produce(std::uint32_t id) {
    const auto found = known_.find(id);
    if (found == known_.end()) return invalid_input(fmt::format("output {} is no value", id));
    if (found->second) {
      return invalid_input(fmt::format("output {} is an input, a constant or another node's", id));
    }
    found->second = true;
    return {};
  }

  bool is_known(std::uint32_t id) const { return known_.at(id); }

  const Graph& graph_;
  std::unordered_map<std::uint32_t, bool> known_;  // whether its contents are known by now
};

}  // namespace

Status check_graph(const Graph& graph) { return GraphCheck(graph).run(); }

}  // namespace etalon::formats::xnn
