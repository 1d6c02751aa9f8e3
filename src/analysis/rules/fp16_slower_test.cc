#include <gtest/gtest.h>

#include "analysis/rules/rule_cases.h"

namespace etalon::analysis {

RuleCases cases_of_kFp16Slower() {
  RuleCases cases;
  cases.fires = healthy_report();
  Comparison& comparison = cases.fires.comparisons[0];
  comparison.ratio = 1.4;
  comparison.candidate_ms = 1.4 * comparison.baseline_ms;
  comparison.verdict->claim = measure::Claim::kSlower;
  comparison.verdict->interval = {1.35, 1.45};
  OperatorMatch match;
  match.label = "features.3 (Add)";
  match.delta_ms = 2;
  comparison.operators = {match};
  cases.subject = "features.3 (Add)";
  cases.silent = healthy_report();
  cases.missing = healthy_report();
  cases.missing.comparisons.clear();
  cases.needs = "wider dtype";
  return cases;
}

namespace {

TEST(Fp16Slower, the_saving_follows_from_the_interval_of_the_ratio) {
  const Report report = cases_of_kFp16Slower().fires;
  const auto found = found_by("fp16-slower", report);
  ASSERT_EQ(found.size(), 1U);
  const double ms = report.comparisons[0].candidate_ms;
  EXPECT_NEAR(*found[0].saving_low_ms, ms * (1 - 1 / 1.35), 1e-9);
  EXPECT_NEAR(*found[0].saving_high_ms, ms * (1 - 1 / 1.45), 1e-9);
  EXPECT_EQ(found[0].remedy.kind, RemedyKind::kDtype);
  EXPECT_EQ(found[0].remedy.value, "fp32");
}

TEST(Fp16Slower, the_order_of_the_two_sides_does_not_matter) {
  Report report = cases_of_kFp16Slower().fires;
  Comparison& comparison = report.comparisons[0];
  std::swap(comparison.baseline, comparison.candidate);
  std::swap(comparison.baseline_dtype, comparison.candidate_dtype);
  std::swap(comparison.baseline_ms, comparison.candidate_ms);
  comparison.ratio = 1 / comparison.ratio;
  comparison.verdict->claim = measure::Claim::kFaster;
  comparison.verdict->interval = {1 / 1.45, 1 / 1.35};
  comparison.operators[0].delta_ms = -2;
  const auto found = found_by("fp16-slower", report);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].subject, "features.3 (Add)");
  EXPECT_NEAR(*found[0].saving_low_ms, comparison.baseline_ms * (1 - 1 / 1.35), 1e-9);
}

TEST(Fp16Slower, a_difference_that_no_verdict_supports_is_no_finding) {
  Report report = cases_of_kFp16Slower().fires;
  report.comparisons[0].verdict->claim = measure::Claim::kInconclusive;
  EXPECT_TRUE(found_by("fp16-slower", report).empty());
}

TEST(Fp16Slower, a_comparison_of_unknown_dtypes_is_not_evaluated) {
  Report report = healthy_report();
  report.comparisons[0].candidate_dtype.clear();
  const Findings findings = evaluate(report);
  ASSERT_FALSE(findings.not_evaluated.empty());
  EXPECT_NE(findings.not_evaluated[0].needs.find("dtype of both runs"), std::string::npos);
}

}  // namespace
}  // namespace etalon::analysis
