#include "analysis/rules/rule_cases.h"

namespace etalon::analysis {
namespace {

Profile loaded_in(double ms) {
  Profile profile = profile_of({op("native_call_mm.out", "GEMM", 10)});
  profile.load_ms = ms;
  return profile;
}

}  // namespace

RuleCases cases_of_kExpensiveLoad() {
  RuleCases cases;
  cases.fires = report_of(loaded_in(400));
  cases.subject = "load";
  cases.silent = report_of(loaded_in(40));
  cases.missing = empty_report();
  cases.needs = "time to load";
  return cases;
}
}  // namespace etalon::analysis
