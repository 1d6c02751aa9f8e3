#include "formats/xnn/decode_node.h"

#include "formats/xnn/node_fields.h"

namespace etalon::formats::xnn {
namespace {

// One read() per table: it fills operands, flags and parameters.
class NodeReader {
 public:
  NodeReader(TableReader& reader, Node& node) : reader_(reader), node_(node) {}

  Status read(const fb::xnn::Unary& table) { return one_to_one(table); }

  Status read(const fb::xnn::Binary& table) {
    node_.inputs = {table.input1_id(), table.input2_id()};
    return finish(table);
  }

  Status read(const fb::xnn::FullyConnected& table) {
    node_.inputs = {table.input1_id(), table.filter_id(), table.bias_id()};
    return finish(table);
  }

  Status read(const fb::xnn::Conv& table) {
    Conv out;
    out.padding_top = table.padding_top();
    out.padding_right = table.padding_right();
    out.padding_bottom = table.padding_bottom();
    out.padding_left = table.padding_left();
    out.kernel_height = table.kernel_height();
    out.kernel_width = table.kernel_width();
    out.subsampling_height = table.subsampling_height();
    out.subsampling_width = table.subsampling_width();
    out.dilation_height = table.dilation_height();
    out.dilation_width = table.dilation_width();
    out.group_input_channels = table.group_input_channels();
    out.group_output_channels = table.group_output_channels();
    out.groups = table.groups();
    out.adjustment_height = table.adjustment_height();
    out.adjustment_width = table.adjustment_width();
    node_.params = out;
    node_.inputs = {table.input1_id(), table.filter_id(), table.bias_id()};
    return finish(table);
  }

  Status read(const fb::xnn::Pool& table) {
    Pool out = window(table);
    out.stride_height = table.stride_height();
    out.stride_width = table.stride_width();
    out.dilation_height = table.dilation_height();
    out.dilation_width = table.dilation_width();
    node_.params = out;
    return one_to_one(table);
  }

  Status read(const fb::xnn::ArgMaxPool& table) {
    node_.params = window(table);
    node_.inputs = {table.input_id()};
    node_.outputs = {table.output_value_id(), table.output_index_id()};
    node_.flags = table.flags();
    return {};
  }

  Status read(const fb::xnn::Transpose& table) {
    Transpose out;
    ETALON_TRY(out.perm, reader_.optional_numbers(table.perm()));
    ETALON_CHECKED(check_dims(table.num_dims(), out.perm.size()));
    node_.params = std::move(out);
    return one_to_one(table);
  }

  Status read(const fb::xnn::Reshape& table) {
    Reshape out;
    ETALON_TRY(out.shape, reader_.optional_numbers(table.new_shape()));
    ETALON_CHECKED(check_dims(table.num_dims(), out.shape.size()));
    node_.params = std::move(out);
    return one_to_one(table);
  }

  Status read(const fb::xnn::Slice& table) {
    Slice out;
    ETALON_TRY(out.offsets, reader_.optional_numbers(table.offsets()));
    ETALON_TRY(out.sizes, reader_.optional_numbers(table.sizes()));
    ETALON_CHECKED(check_dims(table.num_dims(), out.sizes.size()));
    node_.params = std::move(out);
    return one_to_one(table);
  }

  Status read(const fb::xnn::Pad& table) {
    Pad out;
    ETALON_TRY(out.before, reader_.optional_numbers(table.pre_paddings()));
    ETALON_TRY(out.after, reader_.optional_numbers(table.post_paddings()));
    out.value = table.padding_value();
    node_.params = std::move(out);
    return one_to_one(table);
  }

  Status read(const fb::xnn::Resize& table) {
    node_.params = Resize{table.new_height(), table.new_width()};
    return one_to_one(table);
  }

  Status read(const fb::xnn::Concatenate& table) {
    const std::uint32_t ids[] = {table.input1_id(), table.input2_id(), table.input3_id(), table.input4_id(),
                                 table.input5_id()};
    node_.params = Concatenate{table.axis()};
    node_.inputs.assign(ids, ids + concatenated_inputs(node_.type));
    return finish(table);
  }

  Status read(const fb::xnn::Elu& table) {
    node_.params = Elu{table.alpha()};
    return one_to_one(table);
  }

  Status read(const fb::xnn::LeakyRelu& table) {
    node_.params = LeakyRelu{table.negative_slope()};
    return one_to_one(table);
  }

  Status read(const fb::xnn::Attention& table) {
    node_.inputs = {table.query_id(), table.key_id(), table.value_id(), table.scale_id(), table.mask_id()};
    return finish(table);
  }

 private:
  template <class Table>
  static Pool window(const Table& table) {
    Pool out;
    out.padding_top = table.padding_top();
    out.padding_right = table.padding_right();
    out.padding_bottom = table.padding_bottom();
    out.padding_left = table.padding_left();
    out.pooling_height = table.pooling_height();
    out.pooling_width = table.pooling_width();
    return out;
  }

  template <class Table>
  Status one_to_one(const Table& table) {
    node_.inputs = {table.input_id()};
    return finish(table);
  }

  template <class Table>
  Status finish(const Table& table) {
    node_.outputs = {table.output_id()};
    node_.flags = table.flags();
    return {};
  }

  static Status check_dims(std::uint32_t claimed, std::size_t found) {
    if (claimed == found) return {};
    return invalid_input(fmt::format("it lists {} dims and claims {}", found, claimed));
  }

  TableReader& reader_;
  Node& node_;
};

template <class Table>
Status read_as(TableReader& reader, const fb::xnn::XNode& table, Node& node) {
  return NodeReader(reader, node).read(*static_cast<const Table*>(table.content()));
}

Status read_content(TableReader& reader, const fb::xnn::XNode& table, Node& node) {
  switch (fields_of(node.type)) {
    case NodeFields::kUnary:
      return read_as<fb::xnn::Unary>(reader, table, node);
    case NodeFields::kBinary:
      return read_as<fb::xnn::Binary>(reader, table, node);
    case NodeFields::kFullyConnected:
      return read_as<fb::xnn::FullyConnected>(reader, table, node);
    case NodeFields::kConv:
      return read_as<fb::xnn::Conv>(reader, table, node);
    case NodeFields::kPool:
      return read_as<fb::xnn::Pool>(reader, table, node);
    case NodeFields::kArgMaxPool:
      return read_as<fb::xnn::ArgMaxPool>(reader, table, node);
    case NodeFields::kTranspose:
      return read_as<fb::xnn::Transpose>(reader, table, node);
    case NodeFields::kReshape:
      return read_as<fb::xnn::Reshape>(reader, table, node);
    case NodeFields::kSlice:
      return read_as<fb::xnn::Slice>(reader, table, node);
    case NodeFields::kPad:
      return read_as<fb::xnn::Pad>(reader, table, node);
    case NodeFields::kResize:
      return read_as<fb::xnn::Resize>(reader, table, node);
    case NodeFields::kConcatenate:
      return read_as<fb::xnn::Concatenate>(reader, table, node);
    case NodeFields::kElu:
      return read_as<fb::xnn::Elu>(reader, table, node);
    case NodeFields::kLeakyRelu:
      return read_as<fb::xnn::LeakyRelu>(reader, table, node);
    case NodeFields::kAttention:
      return read_as<fb::xnn::Attention>(reader, table, node);
  }
  return internal_error("a node type without a table");
}

}  // namespace

Result<Node> decode_node(TableReader& reader, const fb::xnn::XNode& table) {
  const auto tag = static_cast<std::size_t>(table.content_type());
  if (tag == 0 || tag > kNodeTypeCount) {
    return unsupported(fmt::format("node type {} is unknown, known are 1 to {}", tag, kNodeTypeCount));
  }
  if (table.content() == nullptr) return TableReader::missing("content");
  Node out;
  out.type = static_cast<NodeType>(tag);
  out.debug_handle = table.debug_handle();
  if (const auto* range = table.output_min_max()) {
    out.output_min = range->output_min();
    out.output_max = range->output_max();
  }
  ETALON_CHECKED(read_content(reader, table, out), name_of(out.type));
  return out;
}

}  // namespace etalon::formats::xnn
