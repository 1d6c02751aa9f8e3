#include "formats/xnn/xnn.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cstring>

#include "formats/pte/pte.h"
#include "formats/sample_test.h"
#include "formats/xnn/node_fields.h"
#include "xnn_graph_generated.h"

namespace etalon::formats::xnn {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Value value(std::uint32_t id, std::vector<std::uint32_t> dims) {
  Value out;
  out.id = id;
  out.dims = std::move(dims);
  return out;
}

Value external(std::uint32_t id, std::uint32_t external_id, std::uint32_t flag) {
  Value out = value(id, {1, 4, 4, 8});
  out.external_id = external_id;
  out.flags = flag;
  return out;
}

Params params_for(NodeType type) {
  switch (fields_of(type)) {
    case NodeFields::kConv: {
      Conv out;
      out.padding_top = 1, out.padding_right = 2, out.padding_bottom = 3, out.padding_left = 4;
      out.kernel_height = 5, out.kernel_width = 6, out.subsampling_height = 7, out.subsampling_width = 8;
      out.dilation_height = 9, out.dilation_width = 10;
      out.group_input_channels = 11, out.group_output_channels = 12, out.groups = 13;
      out.adjustment_height = 14, out.adjustment_width = 15;
      return out;
    }
    case NodeFields::kPool:
      return Pool{1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
    case NodeFields::kArgMaxPool:
      return Pool{1, 2, 3, 4, 5, 6};
    case NodeFields::kTranspose:
      return Transpose{{0, 3, 1, 2}};
    case NodeFields::kReshape:
      return Reshape{{1, 0, 8}};
    case NodeFields::kSlice:
      return Slice{{0, 1, 2, 3}, {1, 2, 1, 4}};
    case NodeFields::kPad:
      return Pad{{0, 1, 2, 0}, {0, 3, 4, 0}, 1.5f};
    case NodeFields::kResize:
      return Resize{7, 9};
    case NodeFields::kConcatenate:
      return Concatenate{3};
    case NodeFields::kElu:
      return Elu{0.5f};
    case NodeFields::kLeakyRelu:
      return LeakyRelu{0.25f};
    default:
      return {};
  }
}

// Input 7 goes to a node of every type; the last node makes the output.
Graph every_node_type() {
  Graph graph;
  graph.num_externs = 2;
  graph.values = {external(7, 0, kExternalInput), external(3, 1, kExternalOutput)};
  std::uint32_t next = 100;
  for (std::uint32_t tag = 1; tag <= kNodeTypeCount; ++tag) {
    Node node;
    node.type = static_cast<NodeType>(tag);
    node.inputs.assign(input_count(node.type), 7);
    if (may_be_missing(node.type, 2)) node.inputs[2] = kNoValue;
    for (std::size_t i = 0; i < output_count(node.type); ++i) {
      const bool is_last = tag == kNodeTypeCount;
      node.outputs.push_back(is_last ? 3 : next);
      if (!is_last) graph.values.push_back(value(next++, {1}));
    }
    node.flags = tag;
    node.debug_handle = 1000 + tag;
    if (tag % 2 == 0) node.output_min = 0;
    node.params = params_for(node.type);
    graph.nodes.push_back(node);
  }
  return graph;
}

Result<Graph> there_and_back(const Graph& graph, std::vector<std::byte>& payload) {
  ETALON_TRY(payload, encode(graph));
  return decode(payload);
}

TEST(Xnn, node_types_are_named_as_in_the_schema) {
  EXPECT_EQ(name_of(NodeType::kAdd), "Add");
  EXPECT_EQ(name_of(NodeType::kStaticResizeBilinear2D), "StaticResizeBilinear2D");
  EXPECT_EQ(name_of(NodeType::kCos), "Cos");
  EXPECT_EQ(name_of(DataType::kQdint8), "qdint8");
  EXPECT_EQ(bits_of(DataType::kQuint8), 8u);
  EXPECT_EQ(bits_of(DataType::kQbint4), 4u);
}

TEST(Xnn, every_node_type_survives_being_written) {
  const Graph graph = every_node_type();
  std::vector<std::byte> payload;
  const auto again = there_and_back(graph, payload);
  ASSERT_TRUE(again.ok()) << again.error().message();
  ASSERT_EQ(again->nodes.size(), graph.nodes.size());
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& want = graph.nodes[i];
    const Node& found = again->nodes[i];
    SCOPED_TRACE(name_of(want.type));
    EXPECT_EQ(found.type, want.type);
    EXPECT_EQ(found.inputs, want.inputs);
    EXPECT_EQ(found.outputs, want.outputs);
    EXPECT_EQ(found.flags, want.flags);
    EXPECT_EQ(found.debug_handle, want.debug_handle);
    EXPECT_EQ(found.output_min, want.output_min);
    EXPECT_EQ(found.output_max, want.output_max);
    EXPECT_EQ(found.params.index(), want.params.index());
  }
  const auto& conv = std::get<Conv>(again->nodes[6].params);
  EXPECT_EQ(conv.padding_left, 4u);
  EXPECT_EQ(conv.subsampling_height, 7u);
  EXPECT_EQ(conv.adjustment_width, 15u);
  const auto& pool = std::get<Pool>(again->nodes[10].params);
  EXPECT_EQ(pool.dilation_width, 10u);
  const auto& pad = std::get<Pad>(again->nodes[9].params);
  EXPECT_THAT(pad.after, ElementsAre(0, 3, 4, 0));
  EXPECT_EQ(pad.value, 1.5f);
  EXPECT_THAT(again->input_ids, ElementsAre(7));
  EXPECT_THAT(again->output_ids, ElementsAre(3));
  EXPECT_EQ(*encode(*again), payload);
}

TEST(Xnn, a_payload_has_the_layout_that_the_runtime_wants) {
  const auto payload = encode(every_node_type());
  ASSERT_TRUE(payload.ok());
  const Bytes bytes = *payload;
  EXPECT_EQ(as_text(bytes.subspan(4, 4)), "XH00");
  EXPECT_EQ(*read_le<std::uint16_t>(bytes, 8), 30);
  EXPECT_EQ(*read_le<std::uint32_t>(bytes, 10), 32u);
  const auto size = *read_le<std::uint32_t>(bytes, 14);
  EXPECT_EQ(*read_le<std::uint32_t>(bytes, 18), (32 + size + 15) / 16 * 16);
  EXPECT_EQ(*read_le<std::uint64_t>(bytes, 22), 0u);
  EXPECT_EQ(as_text(bytes.subspan(36, 4)), "XN01");
  const auto& table = *fb::xnn::GetGraph(bytes.data() + 32);
  EXPECT_EQ(table.version()->str(), "0");
  // Zero is a real external id, so internal values must say that they have none.
  EXPECT_EQ(table.values()->Get(2)->content_as_TensorValue()->external_id(), kNoExternal);
}

Graph quantised_graph(Bytes weights, Bytes scales) {
  Graph graph = every_node_type();
  graph.constants.push_back({std::nullopt, weights, weights.size()});
  graph.constants.push_back({std::nullopt, scales, scales.size()});
  graph.constants.push_back({std::string("abc"), {}, 12});
  Value filter = value(50, {2, 3});
  filter.type = DataType::kQcint8;
  filter.constant = 1;
  filter.quantization = PerChannelQuant{{}, 0, 2, 2};
  Value named = value(51, {3});
  named.constant = 3;
  Value dynamic = value(52, {4, 3});
  dynamic.type = DataType::kQdint8;
  dynamic.quantization = PerTokenDynamicQuant{1};
  Value activation = value(53, {4, 3});
  activation.type = DataType::kQint8;
  activation.quantization = PerTensorQuant{0.5f, -3};
  Value inline_scales = filter;
  inline_scales.id = 54;
  inline_scales.quantization = PerChannelQuant{{1, 2, 3}, 1, 0, 3};
  graph.values.insert(graph.values.end(), {filter, named, dynamic, activation, inline_scales});
  return graph;
}

TEST(Xnn, constants_and_scales_survive_being_written) {
  const std::string weights = "abcdef";
  const float scales[2] = {0.25f, 0.5f};
  const Graph graph = quantised_graph(as_byte_span(weights), std::as_bytes(std::span(scales)));
  std::vector<std::byte> payload;
  const auto again = there_and_back(graph, payload);
  ASSERT_TRUE(again.ok()) << again.error().message();
  ASSERT_EQ(again->constants.size(), 4u);
  EXPECT_FALSE(again->constants[1].key);
  EXPECT_EQ(as_text(again->constants[1].inline_data), weights);
  EXPECT_EQ(*read_le<float>(again->constants[2].inline_data, 4), 0.5f);
  EXPECT_EQ(again->constants[3].key, "abc");
  EXPECT_EQ(again->constants[3].size, 12u);
  const Value* filter = again->find(50);
  ASSERT_NE(filter, nullptr);
  EXPECT_EQ(filter->type, DataType::kQcint8);
  EXPECT_EQ(std::get<PerChannelQuant>(filter->quantization).scale_constant, 2u);
  EXPECT_EQ(std::get<PerTokenDynamicQuant>(again->find(52)->quantization).num_nonbatch_dims, 1);
  EXPECT_EQ(std::get<PerTensorQuant>(again->find(53)->quantization).zero_point, -3);
  EXPECT_THAT(std::get<PerChannelQuant>(again->find(54)->quantization).scales, ElementsAre(1, 2, 3));
  EXPECT_EQ(again->find(55), nullptr);

  // The runtime dereferences the list of scales whether or not they are elsewhere.
  const auto& table = *fb::xnn::GetGraph(payload.data() + 32);
  const auto* written = table.values()->Get(table.values()->size() - 5)->content_as_QuantizedTensorValue();
  ASSERT_NE(written, nullptr);
  EXPECT_NE(written->quant_params_as_PerChannelQuant()->scale(), nullptr);
  EXPECT_EQ(table.constant_data()->Get(1)->named_key(), nullptr);
  EXPECT_EQ(table.constant_data()->Get(3)->offset(), ~std::uint64_t{0});
}

TEST(Xnn, a_payload_of_the_real_exporter_decodes_and_is_written_alike) {
  const MappedFile file = sample("tiny_xnnpack.pte");
  const auto program = pte::decode(file.bytes());
  ASSERT_TRUE(program.ok());
  for (const pte::Delegate& delegate : program->plans.front().delegates) {
    const auto graph = decode(delegate.payload);
    ASSERT_TRUE(graph.ok()) << graph.error().message();
    EXPECT_GT(graph->nodes.size(), 0u);
    EXPECT_TRUE(std::any_of(graph->constants.begin(), graph->constants.end(),
                            [&](const ConstantData& c) { return c.key && program->find_named(*c.key); }));
    const auto written = encode(*graph);
    ASSERT_TRUE(written.ok()) << written.error().message();
    const auto again = decode(*written);
    ASSERT_TRUE(again.ok());
    EXPECT_EQ(*encode(*again), *written);
    EXPECT_LT(written->size(), delegate.payload.size() * 5 / 4)
        << "weights that are elsewhere must stay there";
  }
}

// A file from before headers: constants inside, an input that is quantised on arrival.
std::vector<std::byte> legacy_payload(std::int16_t dynamic_type = 3) {
  flatbuffers::FlatBufferBuilder builder;
  const std::vector<std::uint32_t> dims = {2, 3};
  const auto tensor = [&](std::uint32_t constant, std::uint32_t external_id, std::uint32_t flags,
                          std::uint32_t id, std::int16_t dynamic) {
    const auto list = builder.CreateVector(dims);
    const auto table =
        fb::xnn::CreateTensorValue(builder, 1, 2, list, constant, external_id, flags, id, dynamic);
    return fb::xnn::CreateXValue(builder, fb::xnn::ValueContent::TensorValue, table.Union());
  };
  std::vector<flatbuffers::Offset<fb::xnn::XValue>> values = {
      tensor(0, 0, 1, 0, dynamic_type), tensor(1, kNoExternal, 0, 1, 0), tensor(0, 1, 2, 2, 0)};
  const auto node = fb::xnn::CreateFullyConnected(builder, 0, 1, kNoValue, 2, 0);
  std::vector<flatbuffers::Offset<fb::xnn::XNode>> nodes = {
      fb::xnn::CreateXNode(builder, fb::xnn::NodeContent::FullyConnected, node.Union(), 5)};
  std::vector<flatbuffers::Offset<fb::xnn::Buffer>> buffers = {
      fb::xnn::CreateBuffer(builder, builder.CreateVector(std::vector<std::uint8_t>{})),
      fb::xnn::CreateBuffer(builder, builder.CreateVector(std::vector<std::uint8_t>(24, 7)))};
  const auto node_list = builder.CreateVector(nodes);
  const auto value_list = builder.CreateVector(values);
  const auto buffer_list = builder.CreateVector(buffers);
  builder.Finish(fb::xnn::CreateGraph(builder, 0, node_list, value_list, 2, 0, 0, buffer_list), "XN00");
  const auto* begin = reinterpret_cast<const std::byte*>(builder.GetBufferPointer());
  return {begin, begin + builder.GetSize()};
}

TEST(Xnn, a_payload_without_a_header_brings_its_constants_along) {
  const auto payload = legacy_payload(0);
  const auto graph = decode(payload);
  ASSERT_TRUE(graph.ok()) << graph.error().message();
  ASSERT_EQ(graph->constants.size(), 2u);
  EXPECT_EQ(graph->constants[1].inline_data.size(), 24u);
  EXPECT_GE(graph->constants[1].inline_data.data(), payload.data());
  ASSERT_EQ(graph->nodes.size(), 1u);
  EXPECT_EQ(graph->nodes[0].inputs[2], kNoValue);
}

TEST(Xnn, an_input_that_is_quantised_on_arrival_becomes_a_conversion) {
  const auto graph = decode(legacy_payload());
  ASSERT_TRUE(graph.ok()) << graph.error().message();
  ASSERT_EQ(graph->nodes.size(), 2u);
  EXPECT_EQ(graph->nodes[0].type, NodeType::kConvert);
  const Value* input = graph->find(graph->nodes[0].inputs[0]);
  ASSERT_NE(input, nullptr);
  EXPECT_TRUE(input->is_input());
  EXPECT_EQ(input->type, DataType::kFp32);
  const Value* quantised = graph->find(graph->nodes[1].inputs[0]);
  EXPECT_EQ(quantised->type, DataType::kQdint8);
  EXPECT_FALSE(quantised->is_external());
  EXPECT_TRUE(encode(*graph).ok());

  const auto other = decode(legacy_payload(4));
  ASSERT_FALSE(other.ok());
  EXPECT_EQ(other.error().code(), ErrorCode::kUnsupported);
}

struct Damage {
  const char* says;
  std::function<void(Graph&)> apply;
};

TEST(Xnn, a_graph_that_does_not_fit_together_is_refused) {
  const Damage damages[] = {
      {"value id 7 is reserved or used twice", [](Graph& g) { g.values.push_back(g.values[0]); }},
      {"external id 0 is used twice", [](Graph& g) { g.values[1].external_id = 0; }},
      {"its external id is 9, want one below 2", [](Graph& g) { g.values[0].external_id = 9; }},
      {"it is both an input and an output", [](Graph& g) { g.values[0].flags = 3; }},
      {"its flags are 4", [](Graph& g) { g.values[0].flags = 4; }},
      {"external values, at most 4096", [](Graph& g) { g.num_externs = 5000; }},
      {"input 77 is no value", [](Graph& g) { g.nodes[0].inputs[0] = 77; }},
      {"output 77 is no value", [](Graph& g) { g.nodes[0].outputs[0] = 77; }},
      {"is not computed before it is used", [](Graph& g) { g.nodes[0].inputs[0] = 101; }},
      {"is an input, a constant or another node's", [](Graph& g) { g.nodes[1].outputs[0] = 100; }},
      {"is never computed", [](Graph& g) { g.nodes.pop_back(); }},
      {"input or output 78 is no value", [](Graph& g) { g.input_ids = {78}; }},
      {"node 0 (Add): 3 inputs", [](Graph& g) { g.nodes[0].inputs.push_back(7); }},
      {"its smallest output 3", [](Graph& g) { g.nodes[0].output_min = 3, g.nodes[0].output_max = 3; }},
      {"it lacks its parameters", [](Graph& g) { g.nodes[6].params = {}; }},
      {"are those of another node type", [](Graph& g) { g.nodes[6].params = Elu{}; }},
      {"its stride is 0", [](Graph& g) { std::get<Conv>(g.nodes[6].params).subsampling_width = 0; }},
      {"[0, 1, 1] is not a permutation",
       [](Graph& g) {
         g.nodes[4].params = Transpose{{0, 1, 1}};
       }},
      {"leaves more than one dim open",
       [](Graph& g) {
         g.nodes[19].params = Reshape{{0, 0}};
       }},
      {"at most 6 are possible",
       [](Graph& g) {
         g.nodes[19].params = Reshape{{1, 1, 1, 1, 1, 1, 1}};
       }},
      {"want as many",
       [](Graph& g) {
         g.nodes[34].params = Slice{{0}, {1, 1}};
       }},
      {"constant is number 5, there are 1", [](Graph& g) { g.values[2].constant = 5; }},
      {"qint8 lacks its quantisation", [](Graph& g) { g.values[2].type = DataType::kQint8; }},
      {"fp32 values have no per-tensor", [](Graph& g) { g.values[2].quantization = PerTensorQuant{}; }},
      {"its data type is invalid", [](Graph& g) { g.values[2].type = DataType::kInvalid; }},
      {"7 dims, at most 6", [](Graph& g) { g.values[2].dims.assign(7, 1); }},
  };
  for (const Damage& damage : damages) {
    SCOPED_TRACE(damage.says);
    Graph graph = every_node_type();
    damage.apply(graph);
    const auto payload = encode(graph);
    ASSERT_FALSE(payload.ok());
    EXPECT_THAT(payload.error().message(), HasSubstr(damage.says));
  }
}

TEST(Xnn, quantised_values_that_do_not_fit_are_refused) {
  const std::string weights = "abcdef";
  const float scales[2] = {0.25f, 0.5f};
  const Damage damages[] = {
      {"has 6 bytes, want 9",
       [](Graph& g) {
         g.values.end()[-5].dims = {3, 3};
       }},
      {"it has 2 scales, want 3",
       [](Graph& g) { std::get<PerChannelQuant>(g.values.end()[-5].quantization).channel_dim = 1; }},
      {"its channel dim is 2",
       [](Graph& g) { std::get<PerChannelQuant>(g.values.end()[-5].quantization).channel_dim = 2; }},
      {"its channel dim is -1",
       [](Graph& g) { std::get<PerChannelQuant>(g.values.end()[-5].quantization).channel_dim = -1; }},
      {"scale 0 is -1",
       [](Graph& g) { std::get<PerChannelQuant>(g.values.end()[-1].quantization).scales[0] = -1; }},
      {"cannot be quantised together",
       [](Graph& g) { g.values.end()[-3].quantization = PerTokenDynamicQuant{3}; }},
      {"its zero point is 128",
       [](Graph& g) {
         g.values.end()[-2].quantization = PerTensorQuant{1, 128};
       }},
      {"its scale is 0",
       [](Graph& g) {
         g.values.end()[-2].quantization = PerTensorQuant{0, 0};
       }},
  };
  for (const Damage& damage : damages) {
    SCOPED_TRACE(damage.says);
    Graph graph = quantised_graph(as_byte_span(weights), std::as_bytes(std::span(scales)));
    damage.apply(graph);
    const auto payload = encode(graph);
    ASSERT_FALSE(payload.ok());
    EXPECT_THAT(payload.error().message(), HasSubstr(damage.says));
  }
}

TEST(Xnn, damaged_bytes_never_crash_the_decoder) {
  const std::string weights = "abcdef";
  const float scales[2] = {0.25f, 0.5f};
  const auto payload = encode(quantised_graph(as_byte_span(weights), std::as_bytes(std::span(scales))));
  ASSERT_TRUE(payload.ok());
  const auto read = [](Bytes bytes) {
    const auto graph = decode(bytes);
    if (graph.ok()) EXPECT_TRUE(encode(*graph).ok());
    return graph.ok();
  };
  expect_every_truncation_fails(*payload, read, 3);
  flip_every_byte(*payload, read, 2);
  const auto old = legacy_payload();
  expect_every_truncation_fails(old, read);
  flip_every_byte(old, read);
}

TEST(Xnn, other_bytes_are_named_as_such) {
  EXPECT_THAT(decode(as_byte_span("abc")).error().message(), HasSubstr("only 3 bytes"));
  EXPECT_THAT(decode(as_byte_span("0123ET12 something else")).error().message(), HasSubstr("XN00 and XN01"));
  auto payload = *encode(every_node_type());
  payload[14] = std::byte{0xff}, payload[15] = std::byte{0xff};
  EXPECT_THAT(decode(payload).error().message(), HasSubstr("outside of its bytes"));
}

}  // namespace
}  // namespace etalon::formats::xnn
