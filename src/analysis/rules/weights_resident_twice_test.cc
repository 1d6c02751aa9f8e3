#include "analysis/rules/rule_cases.h"

namespace etalon::analysis {
namespace {

// 100 MB of weights, packed once more.
Profile resident(double grown) {
  Profile profile = profile_of({op("native_call_mm.out", "GEMM", 10)});
  profile.memory = {100e6, 100e6, 5e6, 1e6, 10e6 + grown, 10e6};
  return profile;
}

}  // namespace

RuleCases cases_of_kWeightsResidentTwice() {
  RuleCases cases;
  cases.fires = report_of(resident(210e6));
  cases.subject = "weights";
  cases.silent = report_of(resident(120e6));
  cases.missing = empty_report();
  cases.needs = "packed weights";
  return cases;
}
}  // namespace etalon::analysis
