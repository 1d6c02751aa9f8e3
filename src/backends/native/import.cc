#include "backends/native/import.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <unordered_map>

#include "backends/native/labels.h"
#include "backends/native/quantised_nodes.h"
#include "backends/native/shapes.h"

namespace etalon::native {
namespace {

using xnn::DataType;
using xnn::NodeType;

std::optional<kernels::Unary> unary_of(NodeType type) {
  using kernels::Unary;
  switch (type) {
    case NodeType::kAbs:
      return Unary::kAbs;
    case NodeType::kCeiling:
      return Unary::kCeiling;
    case NodeType::kClamp:
      return Unary::kClamp;
    case NodeType::kCos:
      return Unary::kCos;
    case NodeType::kELU:
      return Unary::kElu;
    case NodeType::kExp:
      return Unary::kExp;
    case NodeType::kFloor:
      return Unary::kFloor;
    case NodeType::kGelu:
      return Unary::kGelu;
    case NodeType::kHardswish:
      return Unary::kHardswish;
    case NodeType::kLeakyReLU:
      return Unary::kLeakyRelu;
    case NodeType::kLog:
      return Unary::kLog;
    case NodeType::kNegate:
      return Unary::kNegate;
    case NodeType::kReciprocalSquareRoot:
      return Unary::kReciprocalSqrt;
    case NodeType::kSigmoid:
      return Unary::kSigmoid;
    case NodeType::kSin:
      return Unary::kSin;
    case NodeType::kSquareRoot:
      return Unary::kSqrt;
    case NodeType::kSquare:
      return Unary::kSquare;
    case NodeType::kTanh:
      return Unary::kTanh;
    default:
      return std::nullopt;
  }
}

std::optional<kernels::Binary> binary_of(NodeType type) {
  using kernels::Binary;
  switch (type) {
    case NodeType::kAdd:
      return Binary::kAdd;
    case NodeType::kSubtract:
      return Binary::kSubtract;
    case NodeType::kMultiply:
      return Binary::kMultiply;
    case NodeType::kDiv:
      return Binary::kDivide;
    case NodeType::kMaximum:
      return Binary::kMaximum;
    case NodeType::kMinimum:
      return Binary::kMinimum;
    case NodeType::kPReLU:
      return Binary::kPRelu;
    default:
      return std::nullopt;
  }
}

bool heeds_limits(kernels::Binary op) {
  return op == kernels::Binary::kAdd || op == kernels::Binary::kSubtract ||
         op == kernels::Binary::kMultiply || op == kernels::Binary::kDivide;
}

bool same_quantisation(const Value& a, const Value& b) {
  return a.quantisation.scale == b.quantisation.scale &&
         a.quantisation.zero_point == b.quantisation.zero_point;
}

// Elements may be moved as they are.
bool is_plain(const Value& value) {
  return value.type == DataType::kFp32 || value.type == DataType::kFp16 || value.type == DataType::kQint8 ||
         value.type == DataType::kQuint8 || value.type == DataType::kInt32;
}

bool is_half(const xnn::Value& value) { return value.type == DataType::kFp16; }

class Importer {
 public:
  Importer(const xnn::Graph& source, const NamedData& named_data, std::span<const ExternalInput> inputs,
           std::uint64_t limit, WidenedConstants& widened)
      : source_(source),
        named_data_(named_data),
        inputs_(inputs),
        limit_(limit),
        widened_(widened),
        widens_(can_widen(source)) {}

  Result<Graph> run() {
    ETALON_CHECKED(import_values());
    for (std::size_t i = 0; i < source_.nodes.size(); ++i) {
      const xnn::Node& node = source_.nodes[i];
      ETALON_CHECKED(import_node(node, static_cast<std::uint32_t>(i)), fmt::format("node {} ({})", i, xnn::name_of(node.type)));
    }
    for (const Value& value : graph_.values) {
      if (value.is_output && !is_known_[static_cast<std::size_t>(&value - graph_.values.data())]) {
        return invalid_input(fmt::format("output {} is computed by no node", value.external));
      }
    }
    graph_.sweep();
    return std::move(graph_);
  }

 private:
  Status import_values() {
    for (std::size_t i = 0; i < source_.values.size(); ++i) {
      const xnn::Value& from = source_.values[i];
      Value value;
      value.type = value.payload_type = from.type;
      value.external = from.external_id;
      value.is_input = from.is_input();
      value.is_output = from.is_output();
      const std::string name = fmt::format("value {}", from.id);
      ETALON_TRY(value.quantisation, reference::resolve_quantisation(source_, from, named_data_), name);
      if (value.is_output && (value.is_input || from.constant != 0)) {
        return unsupported(name + " is an output that nothing computes");
      }
      if (value.is_input) {
        if (from.external_id >= inputs_.size()) {
          return invalid_input(
              fmt::format("{} is argument {}, there are {}", name, from.external_id, inputs_.size()));
        }
        import_argument(inputs_[from.external_id], value);
      } else if (from.constant != 0) {
        ETALON_TRY(value.dims, dims_of(from), name);
        ETALON_CHECKED(check_limits(value), name);
        ETALON_CHECKED(resolve_constant(from.constant, value), name);
      }
      const bool known = value.is_input || value.is_constant();
      if (known) ETALON_CHECKED(check_limits(value), name);
      ids_[from.id] = widens_ && is_half(from) ? add_widened(std::move(value)) : add(std::move(value));
      // Many values of different sizes may share the bytes of one constant.
      if (widened_.bytes() > limit_) return resource_error(name + ": fp16 constants are more than memory allows");
    }
    return {};
  }

  ValueId add(Value value) {
    is_known_.push_back(value.is_input || value.is_constant());
    return graph_.add_value(std::move(value));
  }

  // The float32 value that stands for an fp16 one inside.
  ValueId add_widened(Value half) {
    Value wide;
    wide.dims = half.dims;
    wide.payload_type = DataType::kFp16;
    if (half.is_constant()) {
      wide.constant = widened_.widen(half.constant.first(reference::storage_bytes(half.tensor_type())));
      wide.data_name = half.data_name + " as float32";
      return add(std::move(wide));
    }
    const ValueId inside = add(std::move(wide));
    if (half.is_input) {
      add_convert(add(std::move(half)), inside);
    } else if (half.is_output) {
      narrowed_[inside] = add(std::move(half));
    }
    return inside;
  }

  void add_convert(ValueId from, ValueId to) {
    graph_.values[to].dims = graph_.values[from].dims;
    is_known_[to] = true;
    Node node;
    node.params = Convert{};
    node.inputs = {from};
    node.outputs = {to};
    node.label = "Convert (NC)";
    graph_.nodes.push_back(std::move(node));
  }

  // Arguments that never change are constants: scalars, which rewrites want to see.
  static void import_argument(const ExternalInput& input, Value& value) {
    value.dims = input.dims;
    if (input.constant.size() < reference::storage_bytes(value.tensor_type())) return;
    value.constant = input.constant;
    value.data_name = fmt::format("argument {}", value.external);
    value.is_input = false;
  }

  Status check_limits(const Value& value) const {
    ETALON_CHECKED(check_size(value.dims));
    const std::int64_t count = value.elements();
    if (count == 0) return unsupported("a tensor without elements");
    if (static_cast<std::uint64_t>(count) > limit_ / 8) {
      return resource_error(fmt::format("{} elements are more than memory allows", count));
    }
    return {};
  }

  // Bytes of the payload or of named data, aligned for floats.
  Status resolve_constant(std::uint32_t index, Value& value) {
    const std::size_t wanted = reference::storage_bytes(value.tensor_type());
    ETALON_TRY(const Bytes bytes, reference::constant_bytes(source_, index, wanted, named_data_));
    value.constant = bytes.first(wanted);
    const xnn::ConstantData& data = source_.constants[index];
    value.data_name = data.key ? *data.key : fmt::format("#{}", index);
    if (widens_ && value.type == DataType::kFp16) return {};  // it is copied anyway
    const bool is_aligned = reinterpret_cast<std::uintptr_t>(bytes.data()) % alignof(float) == 0;
    if (is_aligned && bytes.data() != nullptr) return {};
    auto copy = std::make_unique<float[]>(wanted / sizeof(float) + 1);
    if (wanted > 0) std::memcpy(copy.get(), bytes.data(), wanted);
    value.constant = {reinterpret_cast<const std::byte*>(copy.get()), wanted};
    graph_.owned.push_back(std::move(copy));
    return {};
  }

  Status import_node(const xnn::Node& from, std::uint32_t place) {
    Node node;
    std::vector<Dims> in(from.inputs.size());
    for (std::size_t k = 0; k < from.inputs.size(); ++k) {
      if (from.inputs[k] == xnn::kNoValue) {
        node.inputs.push_back(kNoValue);
        continue;
      }
      const ValueId id = ids_.at(from.inputs[k]);
      if (!is_known_[id])
        return invalid_input(fmt::format("value {} is used before it is computed", from.inputs[k]));
      node.inputs.push_back(id);
      in[k] = graph_.values[id].dims;
    }
    std::vector<Dims> out(from.outputs.size());
    ETALON_CHECKED(infer_outputs(from, in, out));
    for (std::size_t k = 0; k < from.outputs.size(); ++k) {
      const ValueId id = ids_.at(from.outputs[k]);
      if (is_known_[id]) return invalid_input(fmt::format("value {} is computed twice", from.outputs[k]));
      is_known_[id] = true;
      graph_.values[id].dims = out[k];
      ETALON_CHECKED(check_limits(graph_.values[id]), fmt::format("value {}", from.outputs[k]));
      node.outputs.push_back(id);
    }
    if (from.debug_handle != xnn::kNoDebugHandle) node.debug_handles.push_back(from.debug_handle);
    node.payload_nodes.push_back(place);
    classify(from, node);
    if (node.as<Matmul>() != nullptr && (from.flags & xnn::kTransposeWeights) != 0) transpose_second(node);
    if (node.as<Reference>() != nullptr) {
      ETALON_CHECKED(check_plain(from, node));
      if (auto quantised = quantised_params(graph_, from, node)) node.params = std::move(*quantised);
    }
    node.label = label_of(graph_, node, from);
    const std::vector<ValueId> made = node.outputs;
    graph_.nodes.push_back(std::move(node));
    for (const ValueId id : made) {
      if (const auto found = narrowed_.find(id); found != narrowed_.end()) add_convert(id, found->second);
    }
    return {};
  }

  const Value& value(ValueId id) const { return graph_.values[id]; }

  // The graph has one kind of product; a transposed operand is a transpose before it, which costs nothing.
  void transpose_second(Node& product) {
    Dims dims = value(product.inputs[1]).dims;
    std::swap(dims[dims.size() - 2], dims[dims.size() - 1]);
    Transpose transpose;
    for (std::size_t i = 0; i < dims.size(); ++i) transpose.perm.push_back(static_cast<std::uint32_t>(i));
    std::swap(transpose.perm[dims.size() - 2], transpose.perm[dims.size() - 1]);
    Node node;
    node.params = std::move(transpose);
    node.inputs = {product.inputs[1]};
    node.label = "Transpose (ND, X32)";
    const ValueId transposed = graph_.add_internal(dims);
    is_known_.resize(graph_.values.size(), true);
    node.outputs = {transposed};
    product.inputs[1] = transposed;
    graph_.nodes.push_back(std::move(node));
  }

  Status check_plain(const xnn::Node& from, const Node& node) const {
    std::vector<reference::TensorType> types;
    types.reserve(node.inputs.size() + node.outputs.size());
    std::vector<const reference::TensorType*> in, out;
    const auto add = [&](ValueId id, auto& list) {
      if (id != kNoValue) types.push_back(value(id).tensor_type());
      list.push_back(id == kNoValue ? nullptr : &types.back());
    };
    for (const ValueId id : node.inputs) add(id, in);
    for (const ValueId id : node.outputs) add(id, out);
    return reference::check_node(from, in, out);
  }

  bool all_float(const Node& node) const {
    const auto is_float = [this](ValueId id) { return id == kNoValue || value(id).is_float(); };
    return std::all_of(node.inputs.begin(), node.inputs.end(), is_float) &&
           std::all_of(node.outputs.begin(), node.outputs.end(), is_float);
  }

  bool only_moves(const Node& node) const {
    const Value& out = value(node.outputs[0]);
    return is_plain(out) && std::all_of(node.inputs.begin(), node.inputs.end(), [&](ValueId id) {
             return id == kNoValue || (value(id).type == out.type && same_quantisation(value(id), out));
           });
  }

  void classify(const xnn::Node& from, Node& node) const {
    node.params = Reference{from};
    if (node.outputs.size() != 1) return;
    if (only_moves(node) && classify_move(from, node)) return;
    if (!all_float(node)) return;
    if (const auto unary = unary_of(from.type)) {
      classify_unary(from, *unary, node);
    } else if (const auto binary = binary_of(from.type)) {
      Binary params{*binary};
      if (heeds_limits(*binary)) params = {*binary, from.output_min, from.output_max};
      node.params = params;
    } else if (from.type == NodeType::kSoftmax) {
      node.params = Softmax{};
    } else if (from.type == NodeType::kBatchMatrixMultiply) {
      if ((from.flags & ~xnn::kTransposeWeights) == 0) node.params = Matmul{};
    } else if (from.type == NodeType::kGlobalAvgPooling2d) {
      if (value(node.inputs[0]).dims.size() == 4)
        node.params = GlobalAverage{from.output_min, from.output_max};
    } else if (from.type == NodeType::kMaxPooling2d || from.type == NodeType::kAvgPooling2d) {
      classify_pool(from, node);
    } else {
      classify_product(from, node);
    }
  }

  bool classify_move(const xnn::Node& from, Node& node) const {
    const auto none_missing = [&] {
      return std::find(node.inputs.begin(), node.inputs.end(), kNoValue) == node.inputs.end();
    };
    if (from.type == NodeType::kStaticReshape || from.type == NodeType::kCopy ||
        from.type == NodeType::kConvert) {
      node.params = Reshape{};
    } else if (from.type == NodeType::kStaticTranspose) {
      node.params = Transpose{std::get<xnn::Transpose>(from.params).perm};
    } else if (from.type == NodeType::kStaticSlice) {
      const auto& offsets = std::get<xnn::Slice>(from.params).offsets;
      node.params = Slice{{offsets.begin(), offsets.end()}};
    } else if (const auto* concatenate = std::get_if<xnn::Concatenate>(&from.params);
               concatenate != nullptr && none_missing()) {
      node.params = Concatenate{concatenate->axis};
    } else {
      return false;
    }
    return true;
  }

  void classify_unary(const xnn::Node& from, kernels::Unary op, Node& node) const {
    Unary params{op, {}};
    if (op == kernels::Unary::kClamp) params.params = {0, from.output_min, from.output_max};
    if (const auto* elu = std::get_if<xnn::Elu>(&from.params)) params.params.alpha = elu->alpha;
    if (const auto* leaky = std::get_if<xnn::LeakyRelu>(&from.params))
      params.params.alpha = leaky->negative_slope;
    node.params = params;
  }

  void classify_pool(const xnn::Node& from, Node& node) const {
    if (value(node.inputs[0]).dims.size() != 4) return;
    const bool is_max = from.type == NodeType::kMaxPooling2d;
    Pool params = max_pool_of(from);
    params.is_max = is_max;
    if (!is_max) params.dilation_h = params.dilation_w = 1;  // written as zero
    node.params = params;
  }

  // Convolutions and fully connected layers with constant weights.
  void classify_product(const xnn::Node& from, Node& node) const {
    const bool is_linear = from.type == NodeType::kFullyConnected;
    const bool is_depthwise = from.type == NodeType::kDepthwiseConv2d;
    if (!is_linear && !is_depthwise && from.type != NodeType::kConv2d) return;
    const auto is_fixed = [this](ValueId id) { return id == kNoValue || value(id).is_constant(); };
    if (node.inputs.size() != 3 || !is_fixed(node.inputs[1]) || !is_fixed(node.inputs[2])) return;
    Conv conv;
    static_cast<ConvGeometry&>(conv) = geometry_of(from);
    conv.epilogue.min = from.output_min;
    conv.epilogue.max = from.output_max;
    if (!is_linear && value(node.inputs[0]).dims.size() != 4) return;
    node.params = conv;
    node.inputs.resize(5, kNoValue);
  }

  const xnn::Graph& source_;
  const NamedData& named_data_;
  std::span<const ExternalInput> inputs_;
  std::uint64_t limit_;
  WidenedConstants& widened_;
  bool widens_;
  Graph graph_;
  std::unordered_map<std::uint32_t, ValueId> ids_;
  std::unordered_map<ValueId, ValueId> narrowed_;  // fp16 outputs, by the value that they are converted from
  std::vector<bool> is_known_;
};

}  // namespace

Result<Graph> import_graph(const xnn::Graph& source, const NamedData& named_data,
                           std::span<const ExternalInput> inputs, std::uint64_t value_limit,
                           WidenedConstants& widened) {
  return Importer(source, named_data, inputs, value_limit, widened).run();
}

}  // namespace etalon::native
