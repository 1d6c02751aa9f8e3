// A payload is "XH00" header | flatbuffer | constants, or (old) only a flatbuffer that holds its constants
// itself.
#include <algorithm>

#include "formats/xnn/check.h"
#include "formats/xnn/decode_node.h"

namespace etalon::formats::xnn {
namespace {

constexpr std::size_t kHeaderLength = 30;
constexpr std::size_t kMinFlatbuffer = 8;

struct Parts {
  Bytes flatbuffer;
  Bytes constants;
  bool has_header = false;
};

Result<Parts> split(Bytes payload) {
  const auto magic = slice(payload, 4, 4);
  if (!magic) return invalid_input(fmt::format("not an XNNGraph: it has only {} bytes", payload.size()));
  Parts out;
  if (as_text(*magic) != "XH00") {
    out.flatbuffer = payload;
    return out;
  }
  if (payload.size() < kHeaderLength) return invalid_input("the XNNGraph's header is cut off");
  out.has_header = true;
  const auto offset = *read_le<std::uint32_t>(payload, 10);
  const auto size = *read_le<std::uint32_t>(payload, 14);
  const auto data_offset = *read_le<std::uint32_t>(payload, 18);
  const auto data_size = *read_le<std::uint64_t>(payload, 22);
  const auto flatbuffer = slice(payload, offset, size);
  const auto constants = slice(payload, data_offset, data_size);
  if (!flatbuffer || size < kMinFlatbuffer || !constants) {
    return invalid_input("the XNNGraph's header places its parts outside of its bytes");
  }
  if (data_offset < std::uint64_t{offset} + size) {
    return invalid_input("the XNNGraph's constants begin before its flatbuffer ends");
  }
  out.flatbuffer = *flatbuffer;
  out.constants = *constants;
  return out;
}

class Decoder {
 public:
  explicit Decoder(const Parts& parts)
      : parts_(parts), buffer_(parts.flatbuffer), reader_(parts.flatbuffer.size()) {}

  Result<Graph> run() {
    ETALON_CHECKED(verify());
    const auto& table = *fb::xnn::GetGraph(buffer_.data());
    if (table.nodes() == nullptr || table.values() == nullptr) {
      return TableReader::missing("list of nodes or of values");
    }
    graph_.num_externs = table.num_externs();
    ETALON_TRY(graph_.input_ids, reader_.optional_numbers(table.input_ids()));
    ETALON_TRY(graph_.output_ids, reader_.optional_numbers(table.output_ids()));
    ETALON_CHECKED(read_constants(table));
    ETALON_TRY(graph_.values, reader_.tables<Value>(table.values(), "value",
                                                    [&](const auto& item) { return next_value(item); }));
    ETALON_TRY(graph_.nodes, reader_.tables<Node>(table.nodes(), "node", [&](const auto& item) {
      return decode_node(reader_, item);
    }));
    ETALON_CHECKED(expand_dynamic_inputs());
    ETALON_CHECKED(check_graph(graph_));
    return std::move(graph_);
  }

 private:
  Status verify() {
    if (!buffer_.fits()) return invalid_input("the flatbuffer has 2 GiB or more");
    const auto found = slice(parts_.flatbuffer, 4, 4);
    const std::string_view identifier = found ? as_text(*found) : std::string_view();
    if (identifier != "XN00" && identifier != "XN01") {
      return invalid_input("not an XNNGraph: it lacks the identifiers XN00 and XN01");
    }
    flatbuffers::Verifier verifier = buffer_.verifier();
    if (verifier.VerifyBuffer<fb::xnn::Graph>(nullptr)) return {};
    return invalid_input("the XNNGraph is damaged: its flatbuffer does not verify");
  }

  Status read_constants(const fb::xnn::Graph& table) {
    if (parts_.has_header) {
      ETALON_TRY(graph_.constants,
                 reader_.tables<ConstantData>(table.constant_data(), "constant",
                                              [&](const auto& item) { return constant(item); }));
    } else {
      ETALON_TRY(graph_.constants,
                 reader_.tables<ConstantData>(table.constant_buffer(), "constant",
                                              [&](const auto& item) { return constant(item); }));
    }
    // Whatever the file says about number 0, it means "none".
    if (graph_.constants.empty()) graph_.constants.emplace_back();
    graph_.constants.front() = ConstantData{};
    return {};
  }

  // An empty key counts: only the field's absence means that the bytes are here.
  Result<ConstantData> constant(const fb::xnn::ConstantDataOffset& table) {
    ConstantData out;
    out.size = table.size();
    if (table.named_key() != nullptr) {
      ETALON_TRY(out.key, reader_.text(table.named_key(), "key"));
      return out;
    }
    const auto found = slice(parts_.constants, table.offset(), table.size());
    if (!found) {
      return invalid_input(fmt::format("{} bytes from {} on leave the constant data, which has {}",
                                       table.size(), table.offset(), parts_.constants.size()));
    }
    out.inline_data = *found;
    return out;
  }

  Result<ConstantData> constant(const fb::xnn::Buffer& table) {
    ConstantData out;
    out.inline_data = buffer_.original(table.storage());
    out.size = out.inline_data.size();
    return out;
  }

  Result<Value> value(const fb::xnn::XValue& table) {
    if (const auto* plain = table.content_as_TensorValue()) return tensor(*plain);
    const auto* quantized = table.content_as_QuantizedTensorValue();
    if (quantized == nullptr || quantized->tensor_value() == nullptr) {
      return TableReader::missing("tensor value");
    }
    ETALON_TRY(Value out, tensor(*quantized->tensor_value()));
    ETALON_TRY(out.quantization, quantization(*quantized));
    return out;
  }

  Result<Value> next_value(const fb::xnn::XValue& table) {
    auto out = value(table);
    ++values_read_;
    return out;
  }

  static Result<DataType> data_type(std::int16_t number) {
    if (number >= 0 && number <= static_cast<std::int16_t>(DataType::kBf16))
      return static_cast<DataType>(number);
    return unsupported(fmt::format("data type {} is unknown", number));
  }

  Result<Value> tensor(const fb::xnn::TensorValue& table) {
    Value out;
    out.id = table.id_out();
    ETALON_TRY(out.type, data_type(table.datatype()));
    ETALON_TRY(out.dims, reader_.optional_numbers(table.dims()));
    if (out.dims.size() != table.num_dims()) {
      return invalid_input(fmt::format("it lists {} dims and claims {}", out.dims.size(), table.num_dims()));
    }
    out.constant = table.constant_buffer_idx();
    out.external_id = table.external_id();
    out.flags = table.flags();
    if (table.dq_datatype() != 0) {
      ETALON_TRY(const DataType dynamic, data_type(table.dq_datatype()));
      if (dynamic != DataType::kQint8 || !out.is_input()) {
        return unsupported("only inputs can be quantised dynamically, and only to qint8");
      }
      dynamic_inputs_.push_back(values_read_);
    }
    return out;
  }

  Result<Quantization> quantization(const fb::xnn::QuantizedTensorValue& table) {
    if (const auto* quant = table.quant_params_as_PerTensorQuant()) {
      return Quantization(PerTensorQuant{quant->scale(), quant->zero_point()});
    }
    if (const auto* quant = table.quant_params_as_PerTokenDynamicQuant()) {
      return Quantization(PerTokenDynamicQuant{quant->num_nonbatch_dims()});
    }
    if (const auto* quant = table.quant_params_as_PerChannelQuant()) {
      PerChannelQuant out{{}, quant->channel_dim(), quant->scale_buffer_idx(), quant->num_scales()};
      ETALON_TRY(out.scales, reader_.optional_numbers(quant->scale()));
      return Quantization(std::move(out));
    }
    if (const auto* quant = table.quant_params_as_PerChannelGroupQuant()) {
      PerChannelGroupQuant out{
          {}, {}, quant->channel_dim(), quant->group_size(), quant->scale_buffer_idx(), quant->num_scales()};
      ETALON_TRY(out.scales, reader_.optional_numbers(quant->scale()));
      ETALON_TRY(out.scales_bf16, reader_.optional_numbers(quant->scale_bf16()));
      return Quantization(std::move(out));
    }
    return unsupported(
        fmt::format("quantisation kind {} is unknown", static_cast<int>(table.quant_params_type())));
  }

  // What the nodes call by the input's id is its quantised form; the input itself gets an id of its own.
  Status expand_dynamic_inputs() {
    if (dynamic_inputs_.empty()) return {};
    std::uint32_t next_id = 0;
    for (const Value& value : graph_.values) {
      if (value.id != kNoValue) next_id = std::max(next_id, value.id + 1);
    }
    if (next_id > kNoValue - dynamic_inputs_.size()) return invalid_input("value ids leave no room for more");
    std::vector<Node> nodes;
    for (const std::size_t index : dynamic_inputs_) {
      const Value quantised = quantised_form(graph_.values[index]);
      Node convert;
      convert.type = NodeType::kConvert;
      convert.inputs = {next_id};
      convert.outputs = {quantised.id};
      nodes.push_back(std::move(convert));
      graph_.values[index].id = next_id++;
      graph_.values.push_back(quantised);
    }
    for (Node& node : graph_.nodes) nodes.push_back(std::move(node));
    graph_.nodes = std::move(nodes);
    return {};
  }

  static Value quantised_form(const Value& input) {
    Value out;
    out.id = input.id;
    out.type = DataType::kQdint8;
    out.dims = input.dims;
    out.quantization = PerTokenDynamicQuant{};
    return out;
  }

  Parts parts_;
  AlignedFlatbuffer buffer_;
  TableReader reader_;
  Graph graph_;
  std::size_t values_read_ = 0;
  std::vector<std::size_t> dynamic_inputs_;  // places in Graph::values
};

}  // namespace

Result<Graph> decode(Bytes payload) {
  ETALON_TRY(const Parts parts, split(payload));
  return Decoder(parts).run();
}

}  // namespace etalon::formats::xnn
