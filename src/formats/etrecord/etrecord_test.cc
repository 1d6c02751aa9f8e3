#include "formats/etrecord/etrecord.h"

#include <gtest/gtest.h>

#include "formats/sample_test.h"

namespace etalon::formats::etrecord {
namespace {

constexpr std::string_view kGraph = R"json({"graph_module": {"graph": {"nodes": [
  {"name": "relu", "target": "torch.ops.aten.relu.default", "metadata":
    {"debug_handle": "3", "stack_trace": "x = relu(y)", "nn_module_stack": "a,b,c", "from_node": [{"name": "n"}]}},
  {"name": "add", "target": "torch.ops.aten.add.Tensor", "metadata": {"debug_handle": 4}},
  {"name": "bare", "target": "t"}]}}})json";

Maps small_maps() {
  Maps out;
  out.debug_handles["forward"] = {{0, {3}}, {1, {3, 4, 4}}};
  out.delegates["forward"][1] = {"XnnpackBackend", {{"Add", {4}}}};
  out.num_outs["forward"][1] = 1;
  return out;
}

std::vector<std::byte> encoded(const Maps& maps, const std::vector<GraphText>& graphs) {
  const std::string path = testing::TempDir() + "/etalon_test.etrecord";
  auto file = FileWriter::create(path);
  EXPECT_TRUE(file.ok());
  const auto status = encode(maps, graphs, *file);
  EXPECT_TRUE(status.ok()) << status.error().message();
  EXPECT_TRUE(file->commit().ok());
  return copy_of(MappedFile::open(path)->bytes());
}

TEST(EtRecord, reads_a_record_of_executorch_1_5) {
  const auto file = sample("tiny_xnnpack.etrecord");
  const auto record = decode(file.bytes());
  ASSERT_TRUE(record.ok()) << record.error().message();
  EXPECT_EQ(record->maps.delegates.at("forward").at(0).name, "XnnpackBackend");
  EXPECT_FALSE(record->maps.debug_handles.at("forward").at(0).empty());
  EXPECT_EQ(record->maps.num_outs.at("forward").at(0), 1);
  const GraphInfo* graph = record->edge_graph("forward");
  ASSERT_NE(graph, nullptr);
  ASSERT_FALSE(graph->nodes.empty());
  bool found = false;
  for (const NodeInfo& node : graph->nodes) {
    if (node.target.find("convolution") == std::string::npos) continue;
    found = true;
    EXPECT_GT(node.debug_handle, 0);
    EXPECT_NE(node.stack_trace.find("s.conv(x)"), std::string::npos);
    EXPECT_FALSE(node.nn_module_stack.empty());
  }
  EXPECT_TRUE(found);
  EXPECT_EQ(record->edge_graph("backward"), nullptr);
}

TEST(EtRecord, reads_back_what_it_writes) {
  const auto bytes = encoded(small_maps(), {{"edge_dialect_exported_program/forward", std::string(kGraph)}});
  const auto record = decode(bytes);
  ASSERT_TRUE(record.ok()) << record.error().message();
  EXPECT_EQ(record->entries.size(), 8U);
  EXPECT_EQ(record->maps.debug_handles, small_maps().debug_handles);
  EXPECT_EQ(record->maps.num_outs, small_maps().num_outs);
  EXPECT_EQ(record->maps.delegates.at("forward").at(1).handles.at("Add"), std::vector<std::int64_t>{4});
  const GraphInfo* graph = record->edge_graph("forward");
  ASSERT_NE(graph, nullptr);
  ASSERT_EQ(graph->nodes.size(), 3U);
  EXPECT_EQ(graph->nodes[0].debug_handle, 3);
  EXPECT_EQ(graph->nodes[0].from_node, R"([{"name":"n"}])");
  EXPECT_EQ(graph->nodes[1].debug_handle, 4);
  EXPECT_EQ(graph->nodes[2].debug_handle, 0);
}

TEST(EtRecord, refuses_to_write_a_record_that_inspector_refuses) {
  auto file = FileWriter::create(testing::TempDir() + "/etalon_refused.etrecord");
  ASSERT_TRUE(file.ok());
  EXPECT_FALSE(encode(Maps(), {{"edge_dialect_exported_program/forward", "{}"}}, *file).ok());
  EXPECT_FALSE(encode(small_maps(), {}, *file).ok());
}

TEST(EtRecord, refuses_other_archives) {
  const auto file = sample("dynamic.pt2");
  const auto record = decode(file.bytes());
  ASSERT_FALSE(record.ok());
  EXPECT_NE(record.error().message().find("ETRECORD_V0"), std::string::npos);
}

TEST(EtRecord, survives_truncation_and_byte_flips) {
  const auto bytes = encoded(small_maps(), {{"edge_dialect_exported_program/forward", std::string(kGraph)}});
  expect_every_truncation_fails(bytes, [](Bytes cut) { return decode(cut).ok(); });
  flip_every_byte(bytes, [](Bytes damaged) { (void)decode(damaged).ok(); });
}

}  // namespace
}  // namespace etalon::formats::etrecord
