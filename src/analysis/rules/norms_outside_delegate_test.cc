#include "analysis/rules/rule_cases.h"

namespace etalon::analysis {

RuleCases cases_of_kNormsOutsideDelegate() {
  RuleCases cases;
  cases.fires = healthy_report_with({op("native_call_native_layer_norm.out", "Other", 1),
                                     op("native_call_native_layer_norm.out", "Other", 1)});
  cases.subject = "native_layer_norm";
  // Without any delegate the norms are not what is wrong.
  cases.silent = report_of(
      {op("native_call_native_layer_norm.out", "Other", 1), op("native_call_addmm.out", "GEMM", 1)});
  cases.missing = empty_report();
  cases.needs = "operator events";
  return cases;
}
}  // namespace etalon::analysis
