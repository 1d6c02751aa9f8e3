#include "analysis/rules/rule_cases.h"

namespace etalon::analysis {

RuleCases cases_of_kUnchangedKernels() {
  RuleCases cases;
  cases.fires = healthy_report();
  cases.fires.comparisons[0].kernels.changed = 0;
  cases.subject = "default, 1 thread and fp16, 1 thread";
  cases.silent = healthy_report();
  cases.missing = healthy_report();
  cases.missing.comparisons[0].kernels.compared = 0;
  cases.needs = "kernels of both runs";
  return cases;
}
}  // namespace etalon::analysis
