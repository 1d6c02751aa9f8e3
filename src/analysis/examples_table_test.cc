#include "analysis/examples_table.h"

#include <gtest/gtest.h>

namespace etalon::analysis {
namespace {

Report report_of(const std::string& model, double first, double mean) {
  Report report;
  report.model = model;
  RunResult result;
  result.experiment = "default";
  result.first_ms = first;
  result.mean_ms = mean;
  result.latency_ms.assign(50, mean);
  result.warmup = 10;
  report.manifest.results = {result};
  return report;
}

TEST(ExamplesTable, variants_of_one_model_share_a_row) {
  const auto rows = example_rows({report_of("a/mobilenet_v2_portable_fp32.pte", 9, 8), report_of("b/mobilenet_v2_xnnpack_fp32.pte", 5, 3),
                                  report_of("mobilenet_v2_xnnpack_q8.pte", 4, 1), report_of("mobilenet_v3_small.pte", 7, 6)});
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].model, "mobilenet_v2");
  EXPECT_DOUBLE_EQ(*rows[0].cells[0]->average_ms, 8);
  EXPECT_DOUBLE_EQ(*rows[0].cells[1]->first_ms, 5);
  EXPECT_DOUBLE_EQ(*rows[0].cells[2]->average_ms, 1);
  EXPECT_EQ(rows[0].cells[2]->runs, 50U);
  EXPECT_EQ(rows[1].model, "mobilenet_v3_small");
  EXPECT_FALSE(rows[1].cells[1].has_value());
}

TEST(ExamplesTable, the_program_decides_what_it_is_not_its_name) {
  Report report = report_of("mv2.pte", 4, 1);
  EXPECT_EQ(example_variant_of(report), ExampleVariant::kPortable);
  report.facts.emplace();
  NodeFacts node;
  node.backend = "XnnpackBackend";
  node.dtype = "int8";
  node.flops = 100;
  report.facts->nodes = {node};
  EXPECT_EQ(example_variant_of(report), ExampleVariant::kXnnpackQ8);
  report.facts->nodes[0].dtype = "float32";
  EXPECT_EQ(example_variant_of(report), ExampleVariant::kXnnpackFp32);
  report.facts->nodes[0].backend.clear();
  EXPECT_EQ(example_variant_of(report), ExampleVariant::kPortable);
}

TEST(ExamplesTable, several_runs_of_a_folder_are_several_rows) {
  Report report = report_of("mv2.pte", 4, 1);
  report.manifest.results.push_back(report.manifest.results[0]);
  report.manifest.results[1].threads = 2;
  const auto rows = example_rows({report});
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[1].model, "mv2 (default, 2 threads)");
}

}  // namespace
}  // namespace etalon::analysis
