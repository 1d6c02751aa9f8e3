#include <gtest/gtest.h>

#include "analysis/rules/rule_cases.h"

namespace etalon::analysis {

RuleCases cases_of_kDispatchOverhead() {
  RuleCases cases;
  std::vector<OperatorRow> rows(12, op("Convolution (NHWC, F32) IGEMM #1", "Convolution", 0.1));
  cases.fires = report_of(profile_of(rows, 0.3));
  cases.subject = "framework";
  cases.silent = report_of(profile_of(rows, 0.05));
  cases.missing = empty_report();
  cases.needs = "operator events";
  return cases;
}

namespace {

TEST(DispatchOverhead, leaves_tiny_operators_to_their_own_rule) {
  const std::vector<OperatorRow> rows(40, op("native_call_mul.out", "Elementwise", 0.001));
  EXPECT_TRUE(found_by("dispatch-overhead", report_of(profile_of(rows, 0.02))).empty());
  EXPECT_EQ(found_by("tiny-operators", report_of(profile_of(rows, 0.02))).size(), 1U);
}

}  // namespace
}  // namespace etalon::analysis
