#include "analysis/rules/rule_cases.h"

namespace etalon::analysis {

RuleCases cases_of_kDominantOperator() {
  RuleCases cases;
  cases.fires =
      report_of({op("native_call_addmm.out", "GEMM", 4), op("native_call_mul.out", "Elementwise", 3),
                 op("native_call_mean.out", "Other", 3)});
  cases.subject = "addmm";
  cases.silent = healthy_report();
  cases.missing = empty_report();
  cases.needs = "two operators";
  return cases;
}
}  // namespace etalon::analysis
