// What every rule must be tried on: a report with its defect, one without, and one that lacks what it needs.
//
// A rule `kName` in rules.def has `RuleCases cases_of_kName()` in its test file; without it the tests do not
// link, and rules_test.cc tries them all.
#pragma once

#include <string>
#include <vector>

#include "analysis/finding.h"
#include "analysis/run_report.h"

namespace etalon::analysis {

struct RuleCases {
  Report fires;
  std::string subject;  // a part of the finding's subject
  Report silent;
  Report missing;
  std::string needs;  // a part of what it says to need
};

// Rules on profiles, on comparisons, on the report, as a report on a run folder does it.
Findings evaluate(const Report& report);
// Those of one rule.
std::vector<Finding> found_by(std::string_view rule, const Report& report);

// An operator call of 1 run; a delegate's operator when the name has a layout in parentheses.
OperatorRow op(const std::string& name, const std::string& category, double ms);

// Shares, categories and account follow from the times.
Profile profile_of(std::vector<OperatorRow> operators, double framework_ms = 0, double residual_ms = 0);

// One profile with nothing else known.
Report report_of(Profile profile);
Report report_of(std::vector<OperatorRow> operators);

// Everything a rule could ask for is there, and nothing is wrong: a delegated network on a quiet machine,
// with program, ceilings, a sweep of threads and a comparison with another data type.
Report healthy_report();

// The healthy report with more operators in its first profile; times of the others stay.
Report healthy_report_with(const std::vector<OperatorRow>& more);

// A profile without anything.
Report empty_report();

#define ETALON_RULE(rule) RuleCases cases_of_##rule();
#include "analysis/rules/rules.def"
#undef ETALON_RULE

}  // namespace etalon::analysis
