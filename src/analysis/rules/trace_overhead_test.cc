#include "analysis/rules/rule_cases.h"

namespace etalon::analysis {

RuleCases cases_of_kTraceOverhead() {
  RuleCases cases;
  cases.fires = healthy_report();
  cases.fires.profiles[0].accounting.trace_overhead = 0.5;
  cases.subject = "recording";
  cases.silent = healthy_report();
  cases.missing = empty_report();
  cases.needs = "untraced";
  return cases;
}
}  // namespace etalon::analysis
