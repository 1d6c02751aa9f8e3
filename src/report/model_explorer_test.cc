#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "report/report_testing.h"
#include "report/writers.h"

namespace etalon::report {
namespace {

using nlohmann::json;

// A convolution and an activation that ran as one event, then an addition of both.
analysis::Report report_with_graph() {
  analysis::Report report = rich_report();
  report.facts.emplace();
  report.facts->nodes.resize(3);
  const char* names[] = {"Conv2d", "Clamp", "Add"};
  for (std::size_t i = 0; i < 3; ++i) {
    report.facts->nodes[i].op = names[i];
    report.facts->nodes[i].writes = {static_cast<std::int64_t>(10 + i)};
  }
  report.facts->nodes[1].reads = {10};
  report.facts->nodes[2].reads = {11, 10, 99};
  for (analysis::OperatorRow& row : report.profiles[0].operators) row.nodes.clear();
  report.profiles[0].operators[0].nodes = {0, 1};
  report.profiles[0].operators[1].nodes = {2};
  return report;
}

TEST(ModelExplorer, edges_follow_the_values) {
  const json root = json::parse(write_model_graph(report_with_graph()));
  EXPECT_TRUE(root["label"].is_string());
  const json& graph = root["graphs"][0];
  EXPECT_EQ(graph["id"], "off, 1 thread");
  ASSERT_EQ(graph["nodes"].size(), 3U);
  EXPECT_TRUE(graph["nodes"][0]["incomingEdges"].empty());
  EXPECT_EQ(graph["nodes"][0]["namespace"], "features/0");
  const json& edges = graph["nodes"][2]["incomingEdges"];
  ASSERT_EQ(edges.size(), 2U);  // 99 is an input of the program
  EXPECT_EQ(edges[0]["sourceNodeId"], "n1");
  EXPECT_EQ(edges[1]["sourceNodeId"], "n0");
  EXPECT_EQ(edges[1]["targetNodeInputId"], "1");
}

TEST(ModelExplorer, node_data_count_the_time_of_a_fused_event_once) {
  const analysis::Report report = report_with_graph();
  const json root = json::parse(write_node_data(report));
  const json& results = root["off, 1 thread"]["results"];
  EXPECT_EQ(results.size(), 2U);
  EXPECT_DOUBLE_EQ(results["n0"]["value"].get<double>(), report.profiles[0].operators[0].avg_ms);
  EXPECT_FALSE(results.contains("n1"));
}

TEST(ModelExplorer, without_the_program_there_is_no_graph) {
  EXPECT_EQ(json::parse(write_model_graph(empty_report()))["graphs"], json::array());
  EXPECT_EQ(json::parse(write_node_data(empty_report())), json::object());
}

}  // namespace
}  // namespace etalon::report
