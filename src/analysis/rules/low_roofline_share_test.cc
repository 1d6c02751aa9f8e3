#include <gtest/gtest.h>

#include "analysis/rules/rule_cases.h"

namespace etalon::analysis {

RuleCases cases_of_kLowRooflineShare() {
  RuleCases cases;
  cases.fires = healthy_report();
  OperatorRow& slow = cases.fires.profiles[0].operators[4];
  slow.avg_ms = slow.median_ms = 4;
  slow.attainable_ms = 0.7;
  cases.subject = slow.name;
  cases.silent = healthy_report();
  cases.missing = report_of({op("native_call_convolution.out", "Convolution", 3)});
  cases.needs = "etalon peak";
  return cases;
}

namespace {

TEST(LowRooflineShare, ranks_by_time_that_can_be_won_back_and_not_by_time) {
  OperatorRow good = op("native_call_mm.out", "GEMM", 8);
  OperatorRow bad = op("native_call_convolution.out", "Convolution", 4);
  good.attainable_ms = 7;
  bad.attainable_ms = 0.5;
  const auto found = found_by("low-roofline-share", report_of({good, bad}));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].subject, "native_call_convolution.out");
  EXPECT_NEAR(*found[0].saving_high_ms, 4 - 0.5 / 0.85, 1e-9);
}

}  // namespace
}  // namespace etalon::analysis
