// What fp16-slower and int8-slower share, tried on both.
#include <gtest/gtest.h>

#include "analysis/rules/rule_cases.h"

namespace etalon::analysis {

namespace {

// The healthy report compares fp16 (0) and int8 (1) with fp32.
RuleCases cases_of_comparison(std::size_t index) {
  RuleCases cases;
  cases.fires = healthy_report();
  Comparison& comparison = cases.fires.comparisons[index];
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

}  // namespace

RuleCases cases_of_kFp16Slower() { return cases_of_comparison(0); }
RuleCases cases_of_kInt8Slower() { return cases_of_comparison(1); }

namespace {

struct NarrowRule {
  const char* id;
  std::size_t comparison;
};

class NarrowDtypeIsSlower : public ::testing::TestWithParam<NarrowRule> {
 protected:
  Report fires() const { return cases_of_comparison(GetParam().comparison).fires; }
  Comparison& compared(Report& report) const { return report.comparisons[GetParam().comparison]; }
};

INSTANTIATE_TEST_SUITE_P(Rules, NarrowDtypeIsSlower,
                         ::testing::Values(NarrowRule{"fp16-slower", 0}, NarrowRule{"int8-slower", 1}),
                         [](const auto& rule) { return rule.param.comparison == 0 ? "fp16" : "int8"; });

TEST_P(NarrowDtypeIsSlower, the_saving_follows_from_the_interval_of_the_ratio) {
  Report report = fires();
  const auto found = found_by(GetParam().id, report);
  ASSERT_EQ(found.size(), 1U);
  const double ms = compared(report).candidate_ms;
  EXPECT_NEAR(*found[0].saving_low_ms, ms * (1 - 1 / 1.35), 1e-9);
  EXPECT_NEAR(*found[0].saving_high_ms, ms * (1 - 1 / 1.45), 1e-9);
  EXPECT_EQ(found[0].remedy.kind, RemedyKind::kDtype);
  EXPECT_EQ(found[0].remedy.value, "fp32");
}

TEST_P(NarrowDtypeIsSlower, the_order_of_the_two_sides_does_not_matter) {
  Report report = fires();
  Comparison& comparison = compared(report);
  std::swap(comparison.baseline, comparison.candidate);
  std::swap(comparison.baseline_dtype, comparison.candidate_dtype);
  std::swap(comparison.baseline_ms, comparison.candidate_ms);
  comparison.ratio = 1 / comparison.ratio;
  comparison.verdict->claim = measure::Claim::kFaster;
  comparison.verdict->interval = {1 / 1.45, 1 / 1.35};
  comparison.operators[0].delta_ms = -2;
  const auto found = found_by(GetParam().id, report);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].subject, "features.3 (Add)");
  EXPECT_NEAR(*found[0].saving_low_ms, comparison.baseline_ms * (1 - 1 / 1.35), 1e-9);
}

TEST_P(NarrowDtypeIsSlower, a_difference_that_no_verdict_supports_is_no_finding) {
  Report report = fires();
  compared(report).verdict->claim = measure::Claim::kInconclusive;
  EXPECT_TRUE(found_by(GetParam().id, report).empty());
}

TEST(NarrowDtype, a_comparison_of_unknown_dtypes_is_not_evaluated) {
  Report report = healthy_report();
  report.comparisons[0].candidate_dtype.clear();
  const Findings findings = evaluate(report);
  ASSERT_FALSE(findings.not_evaluated.empty());
  EXPECT_NE(findings.not_evaluated[0].needs.find("dtype of both runs"), std::string::npos);
}

}  // namespace
}  // namespace etalon::analysis
