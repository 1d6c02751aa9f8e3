#include "analysis/rules/rule_cases.h"

namespace etalon::analysis {

RuleCases cases_of_kFp16AsFp32() {
  RuleCases cases;
  cases.fires = healthy_report();
  for (OperatorRow& row : cases.fires.profiles[2].operators) row.kernel_hint = "f32_gemm_ukernel";
  cases.subject = "Convolution";
  cases.silent = healthy_report();
  cases.missing = report_of({op("native_call_convolution.out", "Convolution", 3)});
  cases.needs = "dtype of the program";
  return cases;
}
}  // namespace etalon::analysis
