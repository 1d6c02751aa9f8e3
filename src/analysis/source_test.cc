#include "analysis/source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace etalon::analysis {
namespace {

using formats::etrecord::EtRecord;
using formats::etrecord::GraphInfo;
using formats::etrecord::NodeInfo;

NodeInfo node(std::int64_t handle, const std::string& op, const std::string& stack) {
  NodeInfo info;
  info.debug_handle = handle;
  info.target = "executorch.exir.dialects.edge.ops." + op;
  info.stack_trace = stack;
  info.nn_module_stack =
      "L__self__,,m.Net;L__self___body,body,torch.nn.Sequential;x,body.0,torch.nn.modules.conv.Conv2d";
  return info;
}

constexpr const char* kStack =
    "  File \"/models/model.py\", line 7, in forward\n    x = self.body(x)\n"
    "  File \"/venv/site-packages/torch/nn/modules/conv.py\", line 553, in forward\n    return "
    "self._conv_forward(x)\n";

EtRecord record() {
  EtRecord record;
  record.maps.debug_handles["forward"] = {{0, {1}}, {1, {2}}, {2, {1, 2}}};
  formats::etrecord::DelegateInfo info;
  info.name = "XnnpackBackend";
  info.handles = {{"conv", {1}}};
  record.maps.delegates["forward"][2] = info;
  GraphInfo graph;
  graph.entry = "edge_dialect_exported_program/forward";
  graph.nodes = {node(1, "aten.convolution.default", kStack), node(2, "aten.permute_copy.default", ""),
                 node(2, "aten.addmm.default", "")};
  record.graphs.push_back(graph);
  return record;
}

TEST(Source, the_users_frame_wins_over_torchs_own) {
  const auto source = source_of_stack(kStack, "");
  ASSERT_TRUE(source.has_value());
  EXPECT_EQ(source->file, "/models/model.py");
  EXPECT_EQ(source->line, 7);
  EXPECT_EQ(source->function, "forward");
  EXPECT_EQ(source->code, "x = self.body(x)");
  EXPECT_EQ(source->text(), "model.py:7 (forward)");
}

TEST(Source, without_a_frame_there_is_no_source) {
  for (const char* text : {"", "nothing here", "File \"x\"", "File \"x\", line y", "\n\n\n"}) {
    EXPECT_FALSE(source_of_stack(text, "").has_value()) << text;
  }
}

TEST(SourceMap, finds_kernels_and_their_module) {
  const SourceMap map(record());
  const auto origin = map.find(0, "");
  ASSERT_TRUE(origin.has_value());
  EXPECT_THAT(origin->op_types, ::testing::ElementsAre("aten.convolution.default"));
  EXPECT_EQ(origin->source->module, "body.0");
  EXPECT_EQ(origin->source->module_type, "torch.nn.modules.conv.Conv2d");
}

TEST(SourceMap, a_shared_handle_gives_every_operator) {
  const auto origin = SourceMap(record()).find(1, "");
  ASSERT_TRUE(origin.has_value());
  EXPECT_THAT(origin->op_types, ::testing::ElementsAre("aten.permute_copy.default", "aten.addmm.default"));
  EXPECT_FALSE(origin->source.has_value());
}

TEST(SourceMap, delegate_events_are_found_by_a_part_of_their_label) {
  const SourceMap map(record());
  EXPECT_TRUE(map.find(2, "my conv #1").has_value());
  EXPECT_FALSE(map.find(2, "Transpose #1").has_value());
  EXPECT_FALSE(map.find(9, "").has_value());
  EXPECT_EQ(map.backend_of(2), "XnnpackBackend");
  EXPECT_EQ(map.backend_of(0), "");
}

}  // namespace
}  // namespace etalon::analysis
