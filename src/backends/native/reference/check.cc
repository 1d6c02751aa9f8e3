#include "backends/native/reference/element.h"
#include "backends/native/reference/nodes.h"
#include "backends/native/shapes.h"
#include "fmt/format.h"

namespace etalon::native::reference {
namespace {

namespace xnn = formats::xnn;
using xnn::NodeType;
using Types = std::span<const TensorType* const>;

constexpr std::size_t kMaxInputs = 5;
constexpr std::size_t kMaxOutputs = 2;

bool is_int8(DataType type) {
  return is_static_int8(type) || type == DataType::kQcint8 || type == DataType::kQdint8;
}
bool is_int4(DataType type) { return type == DataType::kQcint4 || type == DataType::kQbint4; }
// What reads and writes as a real number without knowing its place.
bool is_plain(DataType type) { return is_float(type) || is_static_int8(type); }

Error refused(std::string_view what, const TensorType& type) {
  return unsupported(fmt::format("{} of type {}", what, xnn::name_of(type.type)));
}

class Check {
 public:
  Check(const xnn::Node& node, Types inputs, Types outputs) : node_(node), in_(inputs), out_(outputs) {}

  Status run() const {
    ETALON_CHECKED(check_types());
    return check_sizes();
  }

 private:
  Status check_sizes() const {
    Dims inputs[kMaxInputs], outputs[kMaxOutputs];
    for (std::size_t i = 0; i < in_.size(); ++i) {
      if (in_[i] == nullptr) continue;
      inputs[i] = in_[i]->dims;
      ETALON_CHECKED(check_size(inputs[i]));
    }
    ETALON_CHECKED(
        infer_outputs(node_, std::span(inputs).first(in_.size()), std::span(outputs).first(out_.size())));
    for (std::size_t i = 0; i < out_.size(); ++i) {
      if (out_[i]->dims == outputs[i]) continue;
      return invalid_input(
          fmt::format("the output is {}, want {}", to_string(out_[i]->dims), to_string(outputs[i])));
    }
    return {};
  }

  Status check_types() const {
    switch (node_.type) {
      case NodeType::kFullyConnected:
      case NodeType::kConv2d:
      case NodeType::kDepthwiseConv2d:
      case NodeType::kConvTranspose2d:
        return check_convolution();
      case NodeType::kConvert:
        return check_convert();
      case NodeType::kStaticReshape:
      case NodeType::kCopy:
      case NodeType::kStaticTranspose:
      case NodeType::kStaticSlice:
      case NodeType::kStaticConstantPad:
      case NodeType::kConcatenate2:
      case NodeType::kConcatenate3:
      case NodeType::kConcatenate4:
      case NodeType::kConcatenate5:
        return check_movement();
      case NodeType::kBatchMatrixMultiply:
        return check_matmul();
      case NodeType::kArgMaxPooling2d:
        if (out_[1]->type != DataType::kInt32) return refused("indices", *out_[1]);
        if (!is_plain(in_[0]->type)) return refused("an input", *in_[0]);
        return is_plain(out_[0]->type) ? Status() : refused("an output", *out_[0]);
      case NodeType::kScaledDotProductAttention:
        return unsupported("no ExecuTorch release runs this node type");
      default:
        return check_plain();
    }
  }

  Status check_plain() const {
    for (const TensorType* type : in_) {
      if (!is_plain(type->type)) return refused("an input", *type);
    }
    return is_plain(out_[0]->type) ? Status() : refused("an output", *out_[0]);
  }

  // 32-bit integers are only carried about, and only as they are.
  Status check_movement() const {
    for (const TensorType* type : in_) {
      if (type->type == DataType::kInt32 && out_[0]->type == DataType::kInt32) continue;
      if (!is_plain(type->type)) return refused("an input", *type);
      if (!is_plain(out_[0]->type)) return refused("an output", *out_[0]);
    }
    return {};
  }

  Status check_convert() const {
    const DataType from = in_[0]->type, to = out_[0]->type;
    if (!is_plain(from) && from != DataType::kInt32 && from != DataType::kQdint8)
      return refused("an input", *in_[0]);
    if (to == DataType::kQdint8) {
      if (is_float(from)) return check_rows(*out_[0]);
      return refused("dynamic quantisation of an input", *in_[0]);
    }
    if (is_plain(to) || to == DataType::kInt32)
      return from == DataType::kQdint8 ? check_rows(*in_[0]) : Status();
    return refused("an output", *out_[0]);
  }

  static Status check_rows(const TensorType& type) {
    const std::size_t count = type.quantisation.nonbatch_dims;
    if (count >= 1 && count <= type.dims.size()) return {};
    return invalid_input(
        fmt::format("{} dims of {} cannot be quantised together", count, to_string(type.dims)));
  }

  Status check_matmul() const {
    for (const TensorType* type : in_) {
      if (!is_plain(type->type) && !is_int8(type->type)) return refused("an input", *type);
      ETALON_CHECKED(check_operand(*type));
    }
    return is_plain(out_[0]->type) ? Status() : refused("an output", *out_[0]);
  }

  // The scales that a type promises are there.
  static Status check_operand(const TensorType& type) {
    if (type.type == DataType::kQdint8) return check_rows(type);
    const Quantisation& q = type.quantisation;
    std::int64_t wanted = 0, width = 4;
    if (type.type == DataType::kQcint8 || type.type == DataType::kQcint4) {
      if (q.channel_dim >= type.dims.size()) return invalid_input("the dim of its scales does not exist");
      wanted = type.dims[q.channel_dim];
    } else if (type.type == DataType::kQbint4) {
      if (type.dims.size() != 2 || q.group_size <= 0 || type.dims[1] % q.group_size != 0) {
        return invalid_input(
            fmt::format("groups of {} do not divide {}", q.group_size, to_string(type.dims)));
      }
      wanted = type.dims[0] * (type.dims[1] / q.group_size);
      width = q.scales_are_bf16 ? 2 : 4;
    }
    if (static_cast<std::int64_t>(q.scales.size()) / width >= wanted) return {};
    return invalid_input(fmt::format("it has {} bytes of scales, want {}", q.scales.size(), wanted * width));
  }

  Status check_convolution() const {
    const TensorType& input = *in_[0];
    const TensorType& filter = *in_[1];
    if (!is_plain(input.type) && input.type != DataType::kQdint8) return refused("an input", input);
    if (!is_float(filter.type) && !is_int8(filter.type) && !is_int4(filter.type))
      return refused("a filter", filter);
    if (filter.type == DataType::kQdint8) return refused("a filter", filter);
    if (!is_plain(out_[0]->type)) return refused("an output", *out_[0]);
    ETALON_CHECKED(check_operand(filter), "the filter");
    ETALON_CHECKED(check_channel_dim(filter));
    ETALON_CHECKED(check_rows_of_input(input));
    return check_bias(input, filter);
  }

  Status check_channel_dim(const TensorType& filter) const {
    const bool is_linear = node_.type == NodeType::kFullyConnected;
    const bool is_transposed = (node_.flags & xnn::kTransposeWeights) != 0;
    if (is_int4(filter.type) && (!is_linear || is_transposed)) {
      return refused("only fully connected layers with rows of inputs have a filter", filter);
    }
    if (filter.type != DataType::kQcint8 && filter.type != DataType::kQcint4) return {};
    std::size_t wanted = 0;
    if (node_.type == NodeType::kDepthwiseConv2d) wanted = 3;
    if (is_linear && is_transposed) wanted = 1;
    if (filter.quantisation.channel_dim == wanted) return {};
    return unsupported(fmt::format("scales along dim {} of the filter, want dim {}",
                                   filter.quantisation.channel_dim, wanted));
  }

  // One scale must hold for all that goes into a sum.
  Status check_rows_of_input(const TensorType& input) const {
    if (input.type != DataType::kQdint8) return {};
    ETALON_CHECKED(check_rows(input));
    const bool is_linear = node_.type == NodeType::kFullyConnected;
    const std::size_t count = input.quantisation.nonbatch_dims;
    if (is_linear || count == 3 || (count == 1 && is_pointwise(node_))) return {};
    return unsupported(fmt::format("an image quantised by {} dims, want 3", count));
  }

  Status check_bias(const TensorType& input, const TensorType& filter) const {
    if (in_[2] == nullptr || is_float(in_[2]->type)) return {};
    const DataType type = in_[2]->type;
    if (type != DataType::kQint32 && type != DataType::kQcint32) return refused("a bias", *in_[2]);
    const bool is_integer =
        is_static_int8(input.type) && !is_float(filter.type) && filter.type != DataType::kQbint4;
    return is_integer ? Status() : refused("for inputs that are not int8, a bias", *in_[2]);
  }

  const xnn::Node& node_;
  Types in_;
  Types out_;
};

}  // namespace

Status check_node(const xnn::Node& node, Types inputs, Types outputs) {
  ETALON_CHECK(inputs.size() <= kMaxInputs && outputs.size() <= kMaxOutputs);
  Status status = Check(node, inputs, outputs).run();
  if (status.ok()) return {};
  // Sizes are already named by shape inference.
  const std::string prefix = fmt::format("{}: ", xnn::name_of(node.type));
  if (status.error().message().compare(0, prefix.size(), prefix) == 0) return status;
  return status.take_error().with_context(xnn::name_of(node.type));
}

}  // namespace etalon::native::reference
