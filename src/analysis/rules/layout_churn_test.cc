#include <gtest/gtest.h>

#include "analysis/rules/rule_cases.h"

namespace etalon::analysis {

RuleCases cases_of_kLayoutChurn() {
  RuleCases cases;
  cases.fires = healthy_report_with({op("native_call_permute_copy.out", "Data Movement", 1.5),
                                     op("native_call_clone.out", "Data Movement", 0.2)});
  cases.subject = "permute_copy";
  // A delegate's concatenations are called copies too.
  cases.silent = healthy_report_with({op("native_call_permute_copy.out", "Data Movement", 0.3),
                                      op("Copy (NC, X32) #1", "Data Movement", 2)});
  cases.missing = empty_report();
  cases.needs = "operator events";
  return cases;
}

namespace {

TEST(LayoutChurn, bytes_moved_are_set_against_those_of_computation) {
  OperatorRow move = op("native_call_transpose_copy.int_out", "Data Movement", 2);
  OperatorRow work = op("native_call_mm.out", "GEMM", 6);
  move.bytes = 3e6;
  work.bytes = 1e6;
  const auto found = found_by("layout-churn", report_of({move, work}));
  ASSERT_EQ(found.size(), 1U);
  ASSERT_GE(found[0].evidence.size(), 2U);
  EXPECT_DOUBLE_EQ(found[0].evidence[found[0].evidence.size() - 2].value, 3e6);
  EXPECT_DOUBLE_EQ(found[0].evidence.back().value, 3);
}

}  // namespace
}  // namespace etalon::analysis
