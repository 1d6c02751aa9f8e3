#include "analysis/rules/rule_cases.h"

namespace etalon::analysis {
namespace {

Profile pieces(int count, double framework_ms) {
  std::vector<OperatorRow> rows;
  for (int i = 0; i < count; ++i) {
    rows.push_back(op("Fully Connected (NC, F32) GEMM #1", "GEMM", 0.1));
    rows.back().instruction = 2 * i;
    rows.push_back(op("native_call_index_put.out", "Data Movement", 0.01));
    rows.back().instruction = 2 * i + 1;
  }
  return profile_of(std::move(rows), framework_ms);
}

}  // namespace

RuleCases cases_of_kPartitionFragmentation() {
  RuleCases cases;
  cases.fires = report_of(pieces(20, 0.4));
  cases.subject = "index_put";
  // As many pieces, at no cost.
  cases.silent = report_of(pieces(20, 0.01));
  cases.missing = empty_report();
  cases.needs = "operator events";
  return cases;
}
}  // namespace etalon::analysis
