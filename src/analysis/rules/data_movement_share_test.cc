#include "analysis/rules/rule_cases.h"

namespace etalon::analysis {

RuleCases cases_of_kDataMovementShare() {
  RuleCases cases;
  cases.fires = healthy_report_with({op("native_call_cat.out", "Data Movement", 3)});
  cases.subject = "cat";
  // Layouts have a rule of their own.
  cases.silent = healthy_report_with({op("native_call_cat.out", "Data Movement", 0.5),
                                      op("native_call_permute_copy.out", "Data Movement", 4)});
  cases.missing = empty_report();
  cases.needs = "operator events";
  return cases;
}
}  // namespace etalon::analysis
