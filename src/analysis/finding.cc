#include "analysis/finding.h"

#include <algorithm>

namespace etalon::analysis {

#define ETALON_RULE(rule) extern const Rule rule;
#include "analysis/rules/rules.def"
#undef ETALON_RULE

namespace {

double expected_saving_ms(const Finding& finding) {
  return (finding.saving_low_ms.value_or(0) + finding.saving_high_ms.value_or(0)) / 2;
}

void sort_from(std::ptrdiff_t first, Findings& findings) {
  std::stable_sort(findings.found.begin() + first, findings.found.end(), [](const Finding& a, const Finding& b) {
    const double left = expected_saving_ms(a);
    const double right = expected_saving_ms(b);
    return left != right ? left > right : a.severity > b.severity;
  });
}

}  // namespace

std::string_view severity_name(Severity severity) {
  switch (severity) {
    case Severity::kNote:
      return "note";
    case Severity::kAdvice:
      return "advice";
    case Severity::kWarning:
      return "warning";
  }
  return "note";
}

const std::vector<const Rule*>& all_rules() {
  static const std::vector<const Rule*> rules = {
#define ETALON_RULE(rule) &rule,
#include "analysis/rules/rules.def"
#undef ETALON_RULE
  };
  return rules;
}

void check_rules(const Profile& profile, Findings& findings) {
  const auto first = static_cast<std::ptrdiff_t>(findings.found.size());
  for (const Rule* rule : all_rules()) {
    if (rule->check != nullptr) rule->check(profile, findings);
  }
  sort_from(first, findings);
}

void check_comparison_rules(const Comparison& comparison, Findings& findings) {
  for (const Rule* rule : all_rules()) {
    if (rule->check_comparison != nullptr) rule->check_comparison(comparison, findings);
  }
}

void check_report_rules(const Report& report, Findings& findings) {
  for (const Rule* rule : all_rules()) {
    if (rule->check_report != nullptr) rule->check_report(report, findings);
  }
  sort_from(0, findings);
}

}  // namespace etalon::analysis
