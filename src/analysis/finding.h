// What an analysis found, as data: a rule, its subject, and numbers. Sentences live once, in the rule's
// document.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/profile.h"
#include "analysis/remedy.h"

namespace etalon::analysis {

// Every text a report shows about a rule. Sentences without a full stop at the end.
struct RuleDoc {
  std::string_view id;          // kebab-case, names the problem
  std::string_view detects;     // "one operator takes a large part of the run"
  std::string_view why;         // why it costs
  std::string_view remedy;      // what to do
  std::string_view confirm;     // the experiment that would confirm it
  std::string_view wrong_when;  // when not to believe it
  std::string_view needs = {};  // the evidence without which it is "not evaluated"
};

// A number above or below which a rule speaks, and where it comes from.
struct Threshold {
  std::string_view what;    // "share of the run"
  double value = 0;
  std::string_view unit;    // as of Evidence
  std::string_view origin;  // why this number
};

enum class Severity : std::uint8_t { kNote, kAdvice, kWarning };
std::string_view severity_name(Severity severity);

struct Evidence {
  std::string key;
  double value = 0;
  std::string unit;  // "ms", "ns", "share" (0..1), "ratio", "count", "bytes"
};

struct Finding {
  const RuleDoc* rule = nullptr;  // of static storage
  Severity severity = Severity::kNote;
  std::string profile;  // which run
  std::string subject;  // an operator, a category, the run itself
  std::vector<Evidence> evidence;
  std::optional<Source> source;
  // What acting on it could save per run; absent where it cannot be told from one profile.
  std::optional<double> saving_low_ms;
  std::optional<double> saving_high_ms;
  Remedy remedy;
};

struct NotEvaluated {
  std::string_view rule;
  std::string profile;
  std::string needs;
};

struct Findings {
  std::vector<Finding> found;
  std::vector<NotEvaluated> not_evaluated;

  void need(const RuleDoc& rule, const Profile& profile, std::string what) {
    not_evaluated.push_back({rule.id, profile.name, std::move(what)});
  }
};

struct Comparison;
struct Report;

// A rule looks at one profile, at a comparison of two, or at everything that was run.
struct Rule {
  RuleDoc doc;
  void (*check)(const Profile& profile, Findings& findings) = nullptr;
  void (*check_comparison)(const Comparison& comparison, Findings& findings) = nullptr;
  void (*check_report)(const Report& report, Findings& findings) = nullptr;
  std::span<const Threshold* const> thresholds = {};  // of static storage
};

// In the order of rules/rules.def.
const std::vector<const Rule*>& all_rules();

// The rules about one profile, about one comparison, about a whole report: what they find is added to `findings`.
void check_rules(const Profile& profile, Findings& findings);
void check_comparison_rules(const Comparison& comparison, Findings& findings);
// To be called last: it also sorts everything found, by the middle of the saving, then by severity.
void check_report_rules(const Report& report, Findings& findings);

}  // namespace etalon::analysis
