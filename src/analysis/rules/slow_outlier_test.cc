#include <gtest/gtest.h>

#include "analysis/rules/rule_cases.h"

namespace etalon::analysis {
namespace {

// Time follows from work, except for the last one's.
Profile convolutions(double slowdown) {
  std::vector<OperatorRow> rows;
  for (int i = 1; i <= 6; ++i) {
    rows.push_back(op("Convolution (NHWC, F32) IGEMM #" + std::to_string(i), "Convolution", 0.5 * i));
    rows.back().flops = 1e8 * i;
    rows.back().bytes = 1e6 * i;
  }
  rows.back().avg_ms *= slowdown;
  rows.back().median_ms *= slowdown;
  return profile_of(std::move(rows));
}

}  // namespace

RuleCases cases_of_kSlowOutlier() {
  RuleCases cases;
  cases.fires = report_of(convolutions(6));
  cases.subject = "#6";
  cases.silent = report_of(convolutions(1));
  cases.missing = report_of({op("native_call_convolution.out", "Convolution", 3)});
  cases.needs = "arithmetic and bytes";
  return cases;
}

namespace {

TEST(SlowOutlier, work_bound_by_memory_is_not_compared_by_arithmetic) {
  Profile profile = convolutions(1);
  // A depthwise convolution: a tenth of the arithmetic, and the bytes to go with its time.
  profile.operators[0].flops = 1e7;
  EXPECT_TRUE(found_by("slow-outlier", report_of(profile)).empty());
}

TEST(SlowOutlier, one_disturbed_run_does_not_make_an_outlier) {
  Profile profile = convolutions(1);
  profile.operators[0].avg_ms *= 6;  // the median stays
  EXPECT_TRUE(found_by("slow-outlier", report_of(profile)).empty());
}

TEST(SlowOutlier, the_saving_comes_from_the_spread_of_its_like) {
  const auto found = found_by("slow-outlier", report_of(convolutions(6)));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_NEAR(*found[0].saving_low_ms, 15, 1e-9);  // the others agree exactly
  EXPECT_NEAR(*found[0].saving_high_ms, 15, 1e-9);
}

}  // namespace
}  // namespace etalon::analysis
