#include <algorithm>
#include <cstring>

#include "base/checked.h"
#include "fmt/format.h"
#include "formats/xnn/check.h"
#include "formats/xnn/encode_node.h"

namespace etalon::formats::xnn {
namespace {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;

constexpr std::uint16_t kHeaderLength = 30;
constexpr std::uint32_t kFlatbufferOffset = 32;
constexpr std::uint64_t kAlignment = 16;
constexpr std::uint64_t kNamedOffset = ~std::uint64_t{0};  // what is written where the offset says nothing

class Encoder {
 public:
  explicit Encoder(const Graph& graph) : graph_(graph) {}

  Result<std::vector<std::byte>> run() {
    ETALON_CHECKED(check_graph(graph_));
    ETALON_CHECKED(check_size());
    build_flatbuffer();
    return assemble();
  }

 private:
  // A flatbuffer holds less than 2 GiB and does not survive reaching that.
  Status check_size() const {
    constexpr std::uint64_t kMaxSize = std::uint64_t{1} << 30;
    std::uint64_t size = 0;
    for (const Value& value : graph_.values) {
      size += 128;
      if (const auto* channels = std::get_if<PerChannelQuant>(&value.quantization)) {
        size += channels->scales.size() * sizeof(float);
      } else if (const auto* groups = std::get_if<PerChannelGroupQuant>(&value.quantization)) {
        size += groups->scales.size() * sizeof(float) + groups->scales_bf16.size() * sizeof(std::uint16_t);
      }
    }
    size += 256 * std::uint64_t{graph_.nodes.size()};
    for (const ConstantData& constant : graph_.constants)
      size += 64 + (constant.key ? constant.key->size() : 0);
    if (size <= kMaxSize) return {};
    return resource_error(
        fmt::format("the graph takes {} bytes without its weights, at most {} are possible", size, kMaxSize));
  }

  void build_flatbuffer() {
    std::vector<Offset<fb::xnn::XNode>> nodes;
    for (const Node& node : graph_.nodes) nodes.push_back(encode_node(builder_, node));
    std::vector<Offset<fb::xnn::XValue>> values;
    for (const Value& value : graph_.values) values.push_back(encode_value(value));
    const auto constants = place_constants();
    const auto version = builder_.CreateString("0");
    const auto node_list = builder_.CreateVector(nodes);
    const auto value_list = builder_.CreateVector(values);
    const auto inputs = builder_.CreateVector(listed(graph_.input_ids, kExternalInput));
    const auto outputs = builder_.CreateVector(listed(graph_.output_ids, kExternalOutput));
    const auto constant_list = builder_.CreateVector(constants);
    builder_.Finish(fb::xnn::CreateGraph(builder_, version, node_list, value_list, graph_.num_externs, inputs,
                                         outputs, 0, 0, constant_list),
                    fb::xnn::GraphIdentifier());
  }

  // Nobody reads these lists; they are completed for people who look at them.
  std::vector<std::uint32_t> listed(const std::vector<std::uint32_t>& given, std::uint32_t flag) const {
    if (!given.empty()) return given;
    std::vector<const Value*> found;
    for (const Value& value : graph_.values) {
      if ((value.flags & flag) != 0) found.push_back(&value);
    }
    std::sort(found.begin(), found.end(),
              [](const Value* a, const Value* b) { return a->external_id < b->external_id; });
    std::vector<std::uint32_t> out;
    for (const Value* value : found) out.push_back(value->id);
    return out;
  }

  Offset<fb::xnn::XValue> encode_value(const Value& value) {
    const auto dims = builder_.CreateVector(value.dims);
    const auto tensor = fb::xnn::CreateTensorValue(builder_, static_cast<std::int16_t>(value.type),
                                                   static_cast<std::uint32_t>(value.dims.size()), dims,
                                                   value.constant, value.external_id, value.flags, value.id);
    if (std::holds_alternative<std::monostate>(value.quantization)) {
      return fb::xnn::CreateXValue(builder_, fb::xnn::ValueContent::TensorValue, tensor.Union());
    }
    const auto kind = kQuantTags[value.quantization.index()];
    const auto quant =
        std::visit([this](const auto& item) { return encode_quantization(item); }, value.quantization);
    const auto quantized = fb::xnn::CreateQuantizedTensorValue(builder_, tensor, kind, quant);
    return fb::xnn::CreateXValue(builder_, fb::xnn::ValueContent::QuantizedTensorValue, quantized.Union());
  }

  // By index into the variant.
  static constexpr fb::xnn::Quantization kQuantTags[] = {
      fb::xnn::Quantization::NONE, fb::xnn::Quantization::PerTensorQuant,
      fb::xnn::Quantization::PerChannelQuant, fb::xnn::Quantization::PerTokenDynamicQuant,
      fb::xnn::Quantization::PerChannelGroupQuant};

  Offset<void> encode_quantization(const std::monostate&) { return {}; }
  Offset<void> encode_quantization(const PerTensorQuant& quant) {
    return fb::xnn::CreatePerTensorQuant(builder_, quant.scale, quant.zero_point).Union();
  }
  // The runtime looks at the list of scales even when they are a constant, so it must be there.
  Offset<void> encode_quantization(const PerChannelQuant& quant) {
    const auto scales = builder_.CreateVector(quant.scales);
    return fb::xnn::CreatePerChannelQuant(builder_, scales, quant.channel_dim, quant.scale_constant,
                                          quant.num_scales)
        .Union();
  }
  Offset<void> encode_quantization(const PerTokenDynamicQuant& quant) {
    return fb::xnn::CreatePerTokenDynamicQuant(builder_, quant.num_nonbatch_dims).Union();
  }
  Offset<void> encode_quantization(const PerChannelGroupQuant& quant) {
    const auto scales = builder_.CreateVector(quant.scales);
    const auto scales_bf16 = builder_.CreateVector(quant.scales_bf16);
    return fb::xnn::CreatePerChannelGroupQuant(builder_, scales, quant.channel_dim, quant.group_size,
                                               scales_bf16, quant.scale_constant, quant.num_scales)
        .Union();
  }

  std::vector<Offset<fb::xnn::ConstantDataOffset>> place_constants() {
    std::vector<Offset<fb::xnn::ConstantDataOffset>> out;
    out.push_back(fb::xnn::CreateConstantDataOffset(builder_, 0, 0, builder_.CreateString("")));
    for (std::size_t i = 1; i < graph_.constants.size(); ++i) {
      const ConstantData& constant = graph_.constants[i];
      if (constant.key) {
        const auto key = builder_.CreateString(*constant.key);
        out.push_back(fb::xnn::CreateConstantDataOffset(builder_, kNamedOffset, constant.size, key));
        continue;
      }
      data_size_ = round_up(data_size_, kAlignment);
      out.push_back(fb::xnn::CreateConstantDataOffset(builder_, data_size_, constant.inline_data.size()));
      data_size_ += constant.inline_data.size();
    }
    return out;
  }

  Result<std::vector<std::byte>> assemble() const {
    const std::uint32_t flatbuffer_size = builder_.GetSize();
    const auto data_offset = static_cast<std::uint32_t>(
        round_up<std::uint64_t>(kFlatbufferOffset + std::uint64_t{flatbuffer_size}, kAlignment));
    std::vector<std::byte> out(data_offset + data_size_);
    std::memcpy(out.data() + 4, "XH00", 4);
    put(out, 8, kHeaderLength);
    put(out, 10, kFlatbufferOffset);
    put(out, 14, flatbuffer_size);
    put(out, 18, data_offset);
    put(out, 22, data_size_);
    std::memcpy(out.data() + kFlatbufferOffset, builder_.GetBufferPointer(), flatbuffer_size);
    std::uint64_t at = 0;
    for (std::size_t i = 1; i < graph_.constants.size(); ++i) {
      const ConstantData& constant = graph_.constants[i];
      if (constant.key) continue;
      at = round_up(at, kAlignment);
      std::copy(constant.inline_data.begin(), constant.inline_data.end(),
                out.begin() + static_cast<std::ptrdiff_t>(data_offset + at));
      at += constant.inline_data.size();
    }
    return out;
  }

  template <class T>
  static void put(std::vector<std::byte>& out, std::size_t offset, T number) {
    std::memcpy(out.data() + offset, &number, sizeof(T));
  }

  const Graph& graph_;
  FlatBufferBuilder builder_;
  std::uint64_t data_size_ = 0;
};

}  // namespace

Result<std::vector<std::byte>> encode(const Graph& graph) { return Encoder(graph).run(); }

}  // namespace etalon::formats::xnn
