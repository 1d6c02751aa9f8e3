// Every rule on its defect, on a report without it, and on one that lacks what the rule needs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <set>

#include "analysis/rules/rule_cases.h"

namespace etalon::analysis {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

struct NamedCases {
  const Rule* rule;
  RuleCases (*cases)();
};

#define ETALON_RULE(rule) extern const Rule rule;
}  // namespace
#include "analysis/rules/rules.def"
#undef ETALON_RULE
namespace {

std::vector<NamedCases> all_cases() {
  return {
#define ETALON_RULE(rule) {&rule, cases_of_##rule},
#include "analysis/rules/rules.def"
#undef ETALON_RULE
  };
}

std::set<std::string> ids_in(const Findings& findings) {
  std::set<std::string> ids;
  for (const Finding& finding : findings.found) ids.insert(std::string(finding.rule->id));
  return ids;
}

const NotEvaluated* skipped_by(std::string_view rule, const Findings& findings) {
  for (const NotEvaluated& skipped : findings.not_evaluated) {
    if (skipped.rule == rule) return &skipped;
  }
  return nullptr;
}

TEST(Rules, each_fires_on_its_defect_and_names_the_subject) {
  for (const auto& [rule, cases] : all_cases()) {
    SCOPED_TRACE(rule->doc.id);
    const RuleCases tried = cases();
    const std::vector<Finding> found = found_by(rule->doc.id, tried.fires);
    ASSERT_FALSE(found.empty());
    const bool named = std::any_of(found.begin(), found.end(), [&](const Finding& finding) {
      return finding.subject.find(tried.subject) != std::string::npos;
    });
    EXPECT_TRUE(named) << "the first is about " << found[0].subject;
    EXPECT_FALSE(tried.subject.empty());
  }
}

TEST(Rules, each_is_silent_without_its_defect_and_had_what_it_needs) {
  for (const auto& [rule, cases] : all_cases()) {
    SCOPED_TRACE(rule->doc.id);
    const Report silent = cases().silent;
    EXPECT_THAT(found_by(rule->doc.id, silent), IsEmpty());
    const Findings findings = evaluate(silent);
    const NotEvaluated* skipped = skipped_by(rule->doc.id, findings);
    EXPECT_EQ(skipped, nullptr) << "it was not evaluated: " << skipped->needs;
  }
}

TEST(Rules, each_says_what_it_needs_when_that_is_missing) {
  for (const auto& [rule, cases] : all_cases()) {
    SCOPED_TRACE(rule->doc.id);
    const RuleCases tried = cases();
    const Findings findings = evaluate(tried.missing);
    EXPECT_EQ(ids_in(findings).count(std::string(rule->doc.id)), 0U);
    const NotEvaluated* skipped = skipped_by(rule->doc.id, findings);
    ASSERT_NE(skipped, nullptr);
    EXPECT_THAT(skipped->needs, HasSubstr(tried.needs));
    EXPECT_FALSE(tried.needs.empty());
  }
}

TEST(Rules, nothing_is_found_in_a_healthy_report_and_nothing_is_left_out) {
  const Findings findings = evaluate(healthy_report());
  EXPECT_THAT(ids_in(findings), IsEmpty());
  for (const NotEvaluated& skipped : findings.not_evaluated) {
    ADD_FAILURE() << skipped.rule << " for " << skipped.profile << " needs " << skipped.needs;
  }
}

TEST(Rules, an_empty_report_makes_no_rule_speak) {
  EXPECT_THAT(evaluate(empty_report()).found, IsEmpty());
  EXPECT_THAT(evaluate(Report()).found, IsEmpty());
}

TEST(Rules, findings_have_numbers_with_units_and_savings_within_the_run) {
  const std::set<std::string> units = {"ms", "ns", "share", "ratio", "count", "bytes"};
  for (const auto& [rule, cases] : all_cases()) {
    SCOPED_TRACE(rule->doc.id);
    const Report report = cases().fires;
    for (const Finding& finding : found_by(rule->doc.id, report)) {
      EXPECT_FALSE(finding.profile.empty());
      EXPECT_FALSE(finding.evidence.empty());
      for (const Evidence& evidence : finding.evidence) {
        EXPECT_EQ(units.count(evidence.unit), 1U) << evidence.key;
        EXPECT_TRUE(std::isfinite(evidence.value)) << evidence.key;
      }
      EXPECT_EQ(finding.saving_low_ms.has_value(), finding.saving_high_ms.has_value());
      if (!finding.saving_high_ms) continue;
      EXPECT_GE(*finding.saving_low_ms, 0);
      EXPECT_LE(*finding.saving_low_ms, *finding.saving_high_ms);
      double longest = 0;
      for (const Profile& profile : report.profiles)
        longest = std::max(longest, profile.accounting.end_to_end_ms);
      EXPECT_LE(*finding.saving_high_ms, longest);
    }
  }
}

TEST(Rules, a_remedy_that_can_be_applied_says_how) {
  for (const auto& [rule, cases] : all_cases()) {
    SCOPED_TRACE(rule->doc.id);
    for (const Finding& finding : found_by(rule->doc.id, cases().fires)) {
      const Remedy& remedy = finding.remedy;
      if (remedy.kind == RemedyKind::kNone) continue;
      EXPECT_THAT(remedy.command, HasSubstr("etalon "));
      EXPECT_EQ(remedy.value.empty(), remedy.kind == RemedyKind::kPrepack);
    }
  }
}

TEST(Rules, findings_come_with_the_largest_saving_first_then_by_severity) {
  Findings findings;
  static const RuleDoc kDoc;
  const auto add = [&](const char* subject, Severity severity, std::optional<double> low,
                       std::optional<double> high) {
    Finding finding;
    finding.rule = &kDoc;
    finding.subject = subject;
    finding.severity = severity;
    finding.saving_low_ms = low;
    finding.saving_high_ms = high;
    findings.found.push_back(finding);
  };
  add("note", Severity::kNote, std::nullopt, std::nullopt);
  add("warning", Severity::kWarning, std::nullopt, std::nullopt);
  add("small", Severity::kWarning, 0, 1);
  add("large", Severity::kNote, 1, 2);
  check_report_rules(Report(), findings);
  std::vector<std::string> order;
  for (const Finding& finding : findings.found) order.push_back(finding.subject);
  EXPECT_THAT(order, ::testing::ElementsAre("large", "small", "warning", "note"));
}

bool is_kebab(std::string_view id) {
  if (id.empty() || id.front() == '-' || id.back() == '-' || id.find("--") != std::string_view::npos)
    return false;
  return std::all_of(id.begin(), id.end(),
                     [](char c) { return c == '-' || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); });
}

TEST(Rules, documents_are_complete_and_ids_unique) {
  std::set<std::string_view> ids;
  for (const Rule* rule : all_rules()) {
    const RuleDoc& doc = rule->doc;
    EXPECT_TRUE(ids.insert(doc.id).second) << doc.id;
    EXPECT_TRUE(is_kebab(doc.id)) << doc.id;
    for (const std::string_view text :
         {doc.detects, doc.why, doc.remedy, doc.confirm, doc.wrong_when, doc.needs}) {
      EXPECT_FALSE(text.empty()) << doc.id;
      EXPECT_FALSE(text.ends_with('.')) << text;
    }
    EXPECT_TRUE(rule->check != nullptr || rule->check_comparison != nullptr || rule->check_report != nullptr);
    for (const Threshold* threshold : rule->thresholds) {
      EXPECT_FALSE(threshold->what.empty() || threshold->unit.empty() || threshold->origin.empty()) << doc.id;
      EXPECT_FALSE(threshold->origin.ends_with('.')) << threshold->origin;
    }
  }
}

}  // namespace
}  // namespace etalon::analysis
