#include "analysis/rules/rule_cases.h"

namespace etalon::analysis {

RuleCases cases_of_kCategoryShare() {
  RuleCases cases;
  cases.fires =
      report_of({op("native_call_mul.out", "Elementwise", 6), op("native_call_addmm.out", "GEMM", 4)});
  cases.subject = "Elementwise";
  // Products are what a network is for.
  cases.silent =
      report_of({op("native_call_mul.out", "Elementwise", 1), op("native_call_addmm.out", "GEMM", 9)});
  cases.missing = empty_report();
  cases.needs = "operator events";
  return cases;
}
}  // namespace etalon::analysis
