#include "analysis/rules/rule_cases.h"

namespace etalon::analysis {
namespace {

Profile many(std::size_t count, double ms, double framework_ms) {
  std::vector<OperatorRow> rows(count, op("native_call_mul.out", "Elementwise", ms));
  rows.push_back(op("native_call_addmm.out", "GEMM", 0.05));
  return profile_of(std::move(rows), framework_ms);
}

}  // namespace

RuleCases cases_of_kTinyOperators() {
  RuleCases cases;
  cases.fires = report_of(many(40, 0.001, 0.02));
  cases.subject = "mul";
  // As many, but each long enough to be worth its call.
  cases.silent = report_of(many(40, 0.1, 0.02));
  cases.missing = empty_report();
  cases.needs = "operator events";
  return cases;
}
}  // namespace etalon::analysis
