#include <gtest/gtest.h>

#include "analysis/rules/rule_cases.h"

namespace etalon::analysis {

RuleCases cases_of_kColdStart() {
  RuleCases cases;
  cases.fires = healthy_report();
  cases.fires.profiles[0].cold_ms = 100;
  cases.subject = "first inference";
  cases.silent = healthy_report();
  cases.missing = empty_report();
  cases.needs = "first run";
  return cases;
}

namespace {

TEST(ColdStart, a_fraction_of_a_millisecond_is_not_worth_a_finding) {
  Profile profile = profile_of({op("native_call_mm.out", "GEMM", 0.1)});
  profile.cold_ms = 1;
  profile.steady_ms = 0.1;
  EXPECT_TRUE(found_by("cold-start", report_of(profile)).empty());
}

}  // namespace
}  // namespace etalon::analysis
