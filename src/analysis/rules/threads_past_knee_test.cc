#include <gtest/gtest.h>

#include "analysis/rules/rule_cases.h"

namespace etalon::analysis {
namespace {

Report sweep(std::initializer_list<double> medians, const char* cpus) {
  Report report = report_of(profile_of({op("native_call_mm.out", "GEMM", 10)}));
  report.profiles[0].experiment = "fast";
  report.profiles[0].threads = 1;
  report.manifest.device["logical_cpus"] = cpus;
  std::uint32_t threads = 1;
  for (const double median : medians) {
    RunResult result;
    result.experiment = "fast";
    result.threads = threads;
    result.median_ms = median;
    report.manifest.results.push_back(result);
    threads *= 2;
  }
  return report;
}

}  // namespace

RuleCases cases_of_kThreadsPastKnee() {
  RuleCases cases;
  cases.fires = sweep({10, 6, 8}, "4");
  cases.subject = "4 threads, the knee is at 2";
  cases.silent = sweep({10, 5.5, 3.2}, "4");
  cases.missing = sweep({10}, "4");
  cases.needs = "several numbers of threads";
  return cases;
}

namespace {

TEST(ThreadsPastKnee, slower_is_a_warning_and_no_gain_is_a_note) {
  const auto slower = found_by("threads-past-knee", sweep({10, 6, 8}, "4"));
  ASSERT_EQ(slower.size(), 1U);
  EXPECT_EQ(slower[0].severity, Severity::kWarning);
  EXPECT_DOUBLE_EQ(*slower[0].saving_high_ms, 2);
  EXPECT_EQ(slower[0].remedy.kind, RemedyKind::kThreads);
  EXPECT_EQ(slower[0].remedy.value, "2");
  const auto flat = found_by("threads-past-knee", sweep({10, 6, 5.9}, "4"));
  ASSERT_EQ(flat.size(), 1U);
  EXPECT_EQ(flat[0].severity, Severity::kNote);
  EXPECT_FALSE(flat[0].saving_high_ms.has_value());
}

}  // namespace
}  // namespace etalon::analysis
