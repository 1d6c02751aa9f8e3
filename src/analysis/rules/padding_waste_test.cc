#include <gtest/gtest.h>

#include "analysis/rules/rule_cases.h"

namespace etalon::analysis {

RuleCases cases_of_kPaddingWaste() {
  RuleCases cases;
  cases.fires = healthy_report();
  for (NodeFacts& node : cases.fires.facts->nodes) node.padded_flops = node.flops * 1.5;
  cases.subject = "Convolution";
  cases.silent = healthy_report();
  cases.missing = empty_report();
  cases.needs = "with padding";
  return cases;
}

namespace {

TEST(PaddingWaste, time_that_memory_takes_is_not_blamed_on_padding) {
  Report report = cases_of_kPaddingWaste().fires;
  for (Profile& profile : report.profiles) {
    for (OperatorRow& row : profile.operators) row.bound = "memory";
  }
  EXPECT_TRUE(found_by("padding-waste", report).empty());
}

}  // namespace
}  // namespace etalon::analysis
