#include <gtest/gtest.h>

#include "analysis/rules/rule_cases.h"

namespace etalon::analysis {
namespace {

// A cheap upsampling, 64 to 224 pixels, as node `place` of the program.
Report upsampled(std::size_t place) {
  Report report = healthy_report_with({op("native_call_upsample_bilinear2d.vec_out", "Other", 0.1)});
  NodeFacts& node = report.facts->nodes[place];
  node.op = "aten::upsample_bilinear2d.vec_out";
  node.read_bytes = 3 * 64 * 64 * 4;
  node.written_bytes = 3 * 224 * 224 * 4;
  for (OperatorRow& row : report.profiles[0].operators) {
    if (row.name.find("upsample") != std::string::npos) row.nodes = {place};
  }
  return report;
}

}  // namespace

RuleCases cases_of_kUpsamplingInModel() {
  RuleCases cases;
  cases.fires = upsampled(0);
  cases.subject = "upsample_bilinear2d";
  // In a decoder, where the output needs it, and cheap.
  cases.silent = upsampled(12);
  cases.missing = cases.silent;
  cases.missing.facts.reset();
  cases.needs = "program file";
  return cases;
}

namespace {

TEST(UpsamplingInModel, near_the_input_most_of_the_run_is_at_stake) {
  const Report report = upsampled(0);
  const auto found = found_by("upsampling-in-model", report);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::kWarning);
  EXPECT_NEAR(found[0].evidence.back().value, 12.25, 1e-9);  // (224 / 64) squared
  EXPECT_GT(*found[0].saving_high_ms, 0.8 * report.profiles[0].accounting.end_to_end_ms);
}

TEST(UpsamplingInModel, a_slow_one_is_found_anywhere) {
  const auto found =
      found_by("upsampling-in-model", report_of({op("native_call_upsample_nearest2d.out", "Other", 2),
                                                 op("native_call_convolution.out", "Convolution", 8)}));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::kAdvice);
  EXPECT_DOUBLE_EQ(*found[0].saving_high_ms, 2);
}

}  // namespace
}  // namespace etalon::analysis
