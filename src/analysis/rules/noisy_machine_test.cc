#include <gtest/gtest.h>

#include "analysis/rules/rule_cases.h"

namespace etalon::analysis {

RuleCases cases_of_kNoisyMachine() {
  RuleCases cases;
  cases.fires = healthy_report();
  cases.fires.manifest.results[1].cv_percent = 40;
  cases.subject = "spread of the runs";
  cases.silent = healthy_report();
  cases.missing = empty_report();
  cases.needs = "times of several runs";
  return cases;
}

namespace {

TEST(NoisyMachine, verdicts_tell_disturbed_blocks_and_failed_controls) {
  Report report = healthy_report();
  report.comparisons[0].verdict->disturbed = 5;
  report.comparisons[0].verdict->voided = 6;
  report.comparisons[1].verdict->control_alarmed = true;
  const auto found = found_by("noisy-machine", report);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].subject, "disturbed blocks");
  EXPECT_EQ(found[1].subject, "identical arms looked different");
}

TEST(NoisyMachine, a_few_disturbed_blocks_are_normal) {
  Report report = healthy_report();
  report.comparisons[0].verdict->voided = 4;  // of 40
  EXPECT_TRUE(found_by("noisy-machine", report).empty());
}

TEST(NoisyMachine, a_comparison_without_a_verdict_cannot_be_judged) {
  Report report = healthy_report();
  report.comparisons[0].verdict.reset();
  const Findings findings = evaluate(report);
  ASSERT_EQ(findings.not_evaluated.size(), 1U);
  EXPECT_EQ(findings.not_evaluated[0].rule, "noisy-machine");
}

}  // namespace
}  // namespace etalon::analysis
