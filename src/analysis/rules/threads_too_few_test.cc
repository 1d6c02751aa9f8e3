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

RuleCases cases_of_kThreadsTooFew() {
  RuleCases cases;
  cases.fires = sweep({10, 5.5}, "8");
  cases.subject = "2 of 8 processors";
  cases.silent = sweep({10, 5.5}, "2");
  cases.missing = sweep({10}, "8");
  cases.needs = "several numbers of threads";
  return cases;
}

namespace {

TEST(ThreadsTooFew, amdahls_law_bounds_what_is_promised) {
  const auto found = found_by("threads-too-few", sweep({10, 5.5}, "8"));
  ASSERT_EQ(found.size(), 1U);
  // A tenth is serial: 10 * (0.1 + 0.9 / 8) = 2.125.
  EXPECT_NEAR(*found[0].saving_high_ms, 5.5 - 2.125, 1e-9);
  EXPECT_DOUBLE_EQ(*found[0].saving_low_ms, 0);
  EXPECT_EQ(found[0].remedy.value, "8");
}

TEST(ThreadsTooFew, a_sweep_that_flattened_is_not_continued) {
  EXPECT_TRUE(found_by("threads-too-few", sweep({10, 5.5, 5}, "8")).empty());
}

}  // namespace
}  // namespace etalon::analysis
