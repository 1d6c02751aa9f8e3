#include "analysis/rules/rule_cases.h"

namespace etalon::analysis {

RuleCases cases_of_kEarlyActivationMemory() {
  RuleCases cases;
  cases.fires = healthy_report();
  cases.fires.facts->memory[1].live_bytes = 12e6;
  cases.fires.facts->nodes[1].op = "aten::convolution.out";
  cases.fires.facts->nodes[1].instruction = 1;
  cases.subject = "aten::convolution.out";
  cases.silent = healthy_report();
  cases.silent.facts->memory.back().live_bytes = 12e6;  // the peak is late
  cases.missing = empty_report();
  cases.needs = "live bytes";
  return cases;
}
}  // namespace etalon::analysis
