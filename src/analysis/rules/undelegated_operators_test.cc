#include <gtest/gtest.h>

#include "analysis/rules/rule_cases.h"

namespace etalon::analysis {

RuleCases cases_of_kUndelegatedOperators() {
  RuleCases cases;
  // One undelegated product next to a delegated network.
  cases.fires = healthy_report_with({op("native_call_mm.out", "GEMM", 5)});
  cases.subject = "mm";
  // Beside delegates, norms are the business of another rule; a gather costs next to nothing.
  cases.silent = healthy_report_with({op("native_call_native_layer_norm.out", "Other", 3),
                                      op("native_call_index.out", "Data Movement", 0.1)});
  cases.missing = empty_report();
  cases.needs = "operator events";
  return cases;
}

namespace {

TEST(UndelegatedOperators, a_program_without_delegates_is_told_to_use_one_and_ranks_by_time) {
  const auto found = found_by(
      "undelegated-operators",
      report_of({op("native_call_convolution.out", "Convolution", 6),
                 op("native_call_add.out", "Elementwise", 1), op("native_call_add.out", "Elementwise", 1)}));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::kWarning);
  EXPECT_EQ(found[0].subject, "nothing is delegated");
  EXPECT_EQ(found[0].remedy.kind, RemedyKind::kBackend);
  EXPECT_EQ(found[0].remedy.value, "xnnpack");
  ASSERT_GE(found[0].evidence.size(), 6U);
  EXPECT_EQ(found[0].evidence[4].key, "convolution x1");
  EXPECT_EQ(found[0].evidence[5].key, "add x2");
  EXPECT_DOUBLE_EQ(found[0].evidence[5].value, 2);
  EXPECT_DOUBLE_EQ(*found[0].saving_low_ms, 0);
  EXPECT_DOUBLE_EQ(*found[0].saving_high_ms, 8);
}

TEST(UndelegatedOperators, scalar_kernels_promise_half_at_least_and_the_roofline_bounds_the_rest) {
  OperatorRow row = op("native_call_convolution.out", "Convolution", 6);
  row.isa = "scalar";
  row.attainable_ms = 1;
  const auto found = found_by("undelegated-operators", report_of({row}));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_DOUBLE_EQ(*found[0].saving_low_ms, 3);
  EXPECT_DOUBLE_EQ(*found[0].saving_high_ms, 5);
}

}  // namespace
}  // namespace etalon::analysis
