#include "formats/xnn/encode_node.h"

#include <cmath>

#include "formats/xnn/node_fields.h"

namespace etalon::formats::xnn {
namespace {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;

class NodeWriter {
 public:
  NodeWriter(FlatBufferBuilder& builder, const Node& node)
      : builder_(builder), node_(node), in_(node.inputs), out_(node.outputs.front()), flags_(node.flags) {}

  Offset<void> write() {
    switch (fields_of(node_.type)) {
      case NodeFields::kUnary:
        return fb::xnn::CreateUnary(builder_, in_[0], out_, flags_).Union();
      case NodeFields::kBinary:
        return fb::xnn::CreateBinary(builder_, in_[0], in_[1], out_, flags_).Union();
      case NodeFields::kFullyConnected:
        return fb::xnn::CreateFullyConnected(builder_, in_[0], in_[1], in_[2], out_, flags_).Union();
      case NodeFields::kAttention:
        return fb::xnn::CreateAttention(builder_, in_[0], in_[1], in_[2], in_[3], in_[4], out_, flags_)
            .Union();
      case NodeFields::kArgMaxPool:
        return arg_max_pool(std::get<Pool>(node_.params));
      default:
        return std::visit([this](const auto& params) { return table(params); }, node_.params);
    }
  }

 private:
  Offset<void> table(const std::monostate&) { return {}; }

  Offset<void> table(const Conv& p) {
    return fb::xnn::CreateConv(builder_, p.padding_top, p.padding_right, p.padding_bottom, p.padding_left,
                               p.kernel_height, p.kernel_width, p.subsampling_height, p.subsampling_width,
                               p.dilation_height, p.dilation_width, p.group_input_channels,
                               p.group_output_channels, p.groups, p.adjustment_height, p.adjustment_width,
                               in_[0], in_[1], in_[2], out_, flags_)
        .Union();
  }

  Offset<void> table(const Pool& p) {
    return fb::xnn::CreatePool(builder_, p.padding_top, p.padding_right, p.padding_bottom, p.padding_left,
                               p.pooling_height, p.pooling_width, p.stride_height, p.stride_width,
                               p.dilation_height, p.dilation_width, in_[0], out_, flags_)
        .Union();
  }

  Offset<void> arg_max_pool(const Pool& p) {
    return fb::xnn::CreateArgMaxPool(builder_, p.padding_top, p.padding_right, p.padding_bottom,
                                     p.padding_left, p.pooling_height, p.pooling_width, in_[0], out_,
                                     node_.outputs[1], flags_)
        .Union();
  }

  Offset<void> table(const Transpose& p) {
    const auto perm = builder_.CreateVector(p.perm);
    return fb::xnn::CreateTranspose(builder_, length(p.perm), perm, in_[0], out_, flags_).Union();
  }

  Offset<void> table(const Reshape& p) {
    const auto shape = builder_.CreateVector(p.shape);
    return fb::xnn::CreateReshape(builder_, length(p.shape), shape, in_[0], out_, flags_).Union();
  }

  Offset<void> table(const Slice& p) {
    const auto offsets = builder_.CreateVector(p.offsets);
    const auto sizes = builder_.CreateVector(p.sizes);
    return fb::xnn::CreateSlice(builder_, length(p.sizes), offsets, sizes, in_[0], out_, flags_).Union();
  }

  Offset<void> table(const Pad& p) {
    const auto before = builder_.CreateVector(p.before);
    const auto after = builder_.CreateVector(p.after);
    return fb::xnn::CreatePad(builder_, before, after, p.value, in_[0], out_, flags_).Union();
  }

  Offset<void> table(const Resize& p) {
    return fb::xnn::CreateResize(builder_, p.height, p.width, in_[0], out_, flags_).Union();
  }

  Offset<void> table(const Concatenate& p) {
    const auto input = [this](std::size_t i) { return i < in_.size() ? in_[i] : kNoValue; };
    return fb::xnn::CreateConcatenate(builder_, p.axis, input(0), input(1), input(2), input(3), out_, flags_,
                                      input(4))
        .Union();
  }

  Offset<void> table(const Elu& p) {
    return fb::xnn::CreateElu(builder_, p.alpha, in_[0], out_, flags_).Union();
  }

  Offset<void> table(const LeakyRelu& p) {
    return fb::xnn::CreateLeakyRelu(builder_, p.negative_slope, in_[0], out_, flags_).Union();
  }

  static std::uint32_t length(const std::vector<std::uint32_t>& list) {
    return static_cast<std::uint32_t>(list.size());
  }

  FlatBufferBuilder& builder_;
  const Node& node_;
  const std::vector<std::uint32_t>& in_;
  std::uint32_t out_;
  std::uint32_t flags_;
};

}  // namespace

Offset<fb::xnn::XNode> encode_node(FlatBufferBuilder& builder, const Node& node) {
  const auto content = NodeWriter(builder, node).write();
  Offset<fb::xnn::OutputMinMax> range;
  if (std::isfinite(node.output_min) || std::isfinite(node.output_max)) {
    range = fb::xnn::CreateOutputMinMax(builder, node.output_min, node.output_max);
  }
  return fb::xnn::CreateXNode(builder, static_cast<fb::xnn::NodeContent>(node.type), content,
                              node.debug_handle, range);
}

}  // namespace etalon::formats::xnn
