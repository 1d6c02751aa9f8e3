#include "analysis/layer_costs.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

namespace etalon::analysis {
namespace {

// A delegate of nodes with handles 1, 2, ..., whose values are called as given; one operator per group of
// nodes.
struct Model {
  struct Operator {
    std::vector<std::size_t> nodes;
    std::vector<double> launches_ms;
  };
  Model(const std::vector<std::string>& names, const std::vector<Operator>& operators) {
    formats::etrecord::EtRecord record;
    formats::etrecord::GraphInfo graph;
    graph.entry = "edge_dialect_exported_program/forward";
    for (std::size_t i = 0; i < names.size(); ++i) {
      formats::etrecord::NodeInfo node;
      node.name = names[i];
      node.debug_handle = static_cast<std::int64_t>(i + 1);
      graph.nodes.push_back(node);
      NodeFacts fact;
      fact.node = static_cast<std::int64_t>(i);
      fact.debug_handle = node.debug_handle;
      facts.nodes.push_back(fact);
    }
    record.entries = {graph.entry};
    record.graphs = {graph};
    values = ValueNames(record);
    for (const Operator& op : operators) {
      OperatorRow row;
      row.nodes = op.nodes;
      row.launch_ms = op.launches_ms;
      for (const double ms : op.launches_ms) row.avg_ms += ms / static_cast<double>(op.launches_ms.size());
      profile.accounting.end_to_end_ms += row.avg_ms;
      profile.operators.push_back(row);
    }
  }
  CostedProgram costed() const { return {profile, facts, values}; }

  Profile profile;
  ModelFacts facts;
  ValueNames values;
};

std::vector<double> launches(double ms) { return {ms * 1.01, ms * 0.99, ms, ms, ms * 1.005, ms * 0.995}; }

const LayerCost& cost_of(const LayerCosts& costs, const std::string& name) {
  for (const LayerCost& cost : costs.layers) {
    if (cost.name == name) return cost;
  }
  ADD_FAILURE() << "no layer " << name;
  return costs.layers.front();
}

TEST(LayerCosts, joins_gains_with_the_times_of_the_same_values_in_both_programs) {
  const Model in_float({"a", "b", "c"},
                       {{{0}, launches(0.10)}, {{1}, launches(0.30)}, {{2}, launches(0.05)}});
  // Other handles, other order, conversions between: names are what counts.
  const Model in_int8(
      {"a_q", "a", "a_dq", "c", "b"},
      {{{0, 2}, launches(0.02)}, {{1}, launches(0.06)}, {{4}, launches(0.10)}, {{3}, launches(0.05)}});
  const LayerCosts costs = join_layer_costs(
      {{"a", "conv", {"a"}, 0.8, {}}, {"b", "conv", {"b"}, 0.8, {}}, {"c", "add", {"c"}, {}, {}}},
      in_float.costed(), in_int8.costed());
  EXPECT_NEAR(*cost_of(costs, "a").saved_ms, 0.04, 1e-3);
  EXPECT_NEAR(*cost_of(costs, "b").saved_ms, 0.20, 1e-3);
  ASSERT_TRUE(cost_of(costs, "a").saved_interval);
  EXPECT_TRUE(cost_of(costs, "a").saved_interval->contains(0.04));
  EXPECT_NEAR(costs.int8_outside_ms, 0.02, 1e-3) << "conversions belong to no layer";
  EXPECT_EQ(costs.layers[0].name, "a") << "as much accuracy for less time";
  EXPECT_NEAR(*costs.layers[0].db_per_us(), 0.02, 1e-3);
}

TEST(LayerCosts, what_goes_back_to_float_with_a_layer_is_counted_with_it) {
  const Model in_float({"a", "h"}, {{{0}, launches(0.10)}, {{1}, launches(0.05)}});
  const Model in_int8({"a", "h"}, {{{0}, launches(0.04)}, {{1}, launches(0.01)}});
  const LayerCosts costs =
      join_layer_costs({{"a", "conv", {"a"}, 0.5, {"h"}}, {"h", "hardswish", {"h"}, {}, {}}},
                       in_float.costed(), in_int8.costed());
  EXPECT_NEAR(*cost_of(costs, "a").saved_ms, 0.10, 1e-3);
  EXPECT_NEAR(*cost_of(costs, "h").saved_ms, 0.04, 1e-3);
}

TEST(LayerCosts, a_kernel_that_computes_two_layers_counts_for_both_and_says_so) {
  const Model in_float({"a", "b"}, {{{0, 1}, launches(0.30)}});
  const Model in_int8({"a", "b"}, {{{0}, launches(0.05)}, {{1}, launches(0.10)}});
  const LayerCosts costs = join_layer_costs({{"a", "conv", {"a"}, 0.5, {}}, {"b", "conv", {"b"}, 0.1, {}}},
                                            in_float.costed(), in_int8.costed());
  EXPECT_NEAR(*cost_of(costs, "a").saved_ms, 0.15, 1e-3);
  EXPECT_EQ(cost_of(costs, "a").together_with, std::vector<std::string>{"b"});
}

TEST(LayerCosts, a_layer_that_no_operator_computes_has_no_time) {
  const Model in_float({"a"}, {{{0}, launches(0.10)}});
  const Model in_int8({"other"}, {{{0}, launches(0.10)}});
  const LayerCosts costs =
      join_layer_costs({{"a", "conv", {"a"}, 0.5, {}}}, in_float.costed(), in_int8.costed());
  EXPECT_FALSE(costs.layers[0].saved_ms);
  EXPECT_EQ(costs.layers[0].why_no_time, "no operator of the int8 program is known to compute it");
  EXPECT_FALSE(costs.layers[0].db_per_us());
}

TEST(LayerCosts, an_operator_below_the_resolution_of_its_clock_gives_no_time) {
  Model in_float({"a"}, {{{0}, launches(0.0006)}});
  in_float.profile.operators[0].below_resolution = true;
  const Model in_int8({"a"}, {{{0}, launches(0.10)}});
  const LayerCosts costs =
      join_layer_costs({{"a", "conv", {"a"}, 0.5, {}}}, in_float.costed(), in_int8.costed());
  EXPECT_FALSE(costs.layers[0].saved_ms);
  EXPECT_NE(costs.layers[0].why_no_time.find("clock"), std::string::npos);
}

TEST(LayerCosts, a_layer_that_is_slower_on_int8_goes_to_float_first_if_it_gains_at_all) {
  const Model in_float({"a", "b", "c"},
                       {{{0}, launches(0.10)}, {{1}, launches(0.10)}, {{2}, launches(0.10)}});
  const Model in_int8({"a", "b", "c"}, {{{0}, launches(0.02)}, {{1}, launches(0.12)}, {{2}, launches(0.12)}});
  const LayerCosts costs = join_layer_costs(
      {{"a", "conv", {"a"}, 3.0, {}}, {"b", "conv", {"b"}, 0.1, {}}, {"c", "conv", {"c"}, -0.2, {}}},
      in_float.costed(), in_int8.costed());
  EXPECT_EQ(costs.layers[0].name, "b");
  EXPECT_TRUE(std::isinf(*costs.layers[0].db_per_us()));
  EXPECT_EQ(costs.layers[2].name, "c") << "it gains nothing";
}

TEST(LayerCosts, too_few_launches_give_no_interval) {
  const Model in_float({"a"}, {{{0}, {0.1, 0.1}}});
  const Model in_int8({"a"}, {{{0}, {0.05, 0.05}}});
  const LayerCosts costs =
      join_layer_costs({{"a", "conv", {"a"}, 0.5, {}}}, in_float.costed(), in_int8.costed());
  EXPECT_NEAR(*costs.layers[0].saved_ms, 0.05, 1e-9);
  EXPECT_FALSE(costs.layers[0].saved_interval);
}

TEST(LayerCosts, operator_calls_are_known_by_their_instructions) {
  formats::etrecord::EtRecord record;
  record.entries = {"edge_dialect_exported_program/forward"};
  formats::etrecord::NodeInfo node;
  node.name = "conv";
  node.debug_handle = 7;
  record.graphs = {{record.entries.front(), {node}}};
  record.maps.debug_handles["forward"][3] = {7};
  NodeFacts call;
  call.instruction = 3;
  EXPECT_EQ(ValueNames(record).of(call), std::vector<std::string>{"conv"});
  call.instruction = 4;
  EXPECT_TRUE(ValueNames(record).of(call).empty());
}

TEST(LayerCosts, json_has_null_for_what_is_not_known) {
  LayerCosts costs;
  costs.layers.push_back({"a", "conv", {}, {}, {}, {}, {}, {}, {}, "why"});
  const auto json = nlohmann::json::parse(layer_costs_json(costs));
  EXPECT_TRUE(json["layers"][0]["saved_ms"].is_null());
  EXPECT_EQ(json["layers"][0]["why_no_time"], "why");
}

}  // namespace
}  // namespace etalon::analysis
