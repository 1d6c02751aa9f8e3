#include "analysis/rules/rule_cases.h"

namespace etalon::analysis {

RuleCases cases_of_kHighResidual() {
  RuleCases cases;
  const std::vector<OperatorRow> rows = {op("native_call_addmm.out", "GEMM", 4)};
  cases.fires = report_of(profile_of(rows, 0, 1));
  cases.subject = "residual";
  cases.silent = report_of(profile_of(rows, 1, 0.1));
  cases.missing = empty_report();
  cases.needs = "end-to-end";
  return cases;
}
}  // namespace etalon::analysis
