#include "cli/model_facts_cost.h"

#include <gtest/gtest.h>

namespace etalon::cli {
namespace {

using analysis::Ceilings;
using analysis::ModelFacts;
using analysis::NodeFacts;

NodeFacts node(const char* op, double flops, double bytes, const char* dtype = "float32") {
  NodeFacts out;
  out.op = op;
  out.flops = flops;
  out.read_bytes = bytes;
  out.compute_dtype = dtype;
  return out;
}

Ceilings machine() {
  Ceilings ceilings;
  ceilings.isas = {"scalar", "avx2"};
  ceilings.compute = {{"scalar", "float32", "", 1, 10}, {"avx2", "float32", "", 1, 100}};
  ceilings.bandwidth = {{"memory", 1, 1e8, 0, 10, 10}};
  return ceilings;
}

TEST(ModelCost, sums_the_least_times_of_products_and_of_everything) {
  ModelFacts facts;
  facts.nodes = {node("Conv2d", 200e6, 1e6), node("StaticReshape", 0, 5e6), node("aten::native_layer_norm.out", 1e6, 1e7)};
  const Ceilings ceilings = machine();
  const ModelCost cost = cost_of(facts, &ceilings, "", 1);
  ASSERT_EQ(cost.nodes.size(), 3u);
  EXPECT_EQ(cost.flops, 201e6);
  EXPECT_EQ(cost.bytes, 16e6);
  EXPECT_DOUBLE_EQ(cost.nodes[0].roof->ms, 2);
  EXPECT_DOUBLE_EQ(*cost.products_ms, 2);
  EXPECT_DOUBLE_EQ(*cost.all_ms, 2 + 0.5 + 1);
  EXPECT_DOUBLE_EQ(*cost_of(facts, &ceilings, "scalar", 1).products_ms, 20);
}

TEST(ModelCost, without_ceilings_there_are_no_times) {
  ModelFacts facts;
  facts.nodes = {node("Conv2d", 200e6, 1e6)};
  const ModelCost cost = cost_of(facts, nullptr, "", 1);
  EXPECT_FALSE(cost.nodes[0].roof.has_value());
  EXPECT_FALSE(cost.all_ms.has_value());
  EXPECT_EQ(cost.flops, 200e6);
}

TEST(ModelCost, a_dtype_without_ceiling_still_moves_its_bytes) {
  ModelFacts facts;
  facts.nodes = {node("aten::add.out", 1e9, 1e7, "int64")};
  const Ceilings ceilings = machine();
  const ModelCost cost = cost_of(facts, &ceilings, "", 1);
  ASSERT_TRUE(cost.nodes[0].roof.has_value());
  EXPECT_TRUE(cost.nodes[0].roof->memory_bound);
  EXPECT_DOUBLE_EQ(*cost.all_ms, 1);
}

}  // namespace
}  // namespace etalon::cli
