#include "analysis/rules/rules_doc.h"

#include <fmt/core.h>

#include "analysis/finding.h"

namespace etalon::analysis {
namespace {

constexpr std::string_view kIntroduction =
    R"(# Rules

What `etalon analyze`, `etalon report` and `etalon compare` look for. A finding names its subject, gives its evidence in
numbers, bounds what acting on it could save per run (never more than the part of the run that it is about), proposes a
remedy, and names the experiment that would confirm it; `etalon advise --verify` carries out that experiment. Findings come
with the largest saving first, then by severity. A rule that lacks its evidence says so: "not evaluated, needs ...".

This page is printed by `etalon_rules_doc` from the rules in `src/analysis/rules`; a test keeps the two equal.

)";

std::string scope_of(const Rule& rule) {
  std::string scope;
  const auto add = [&](bool has, std::string_view text) {
    if (!has) return;
    if (!scope.empty()) scope += ", ";
    scope += text;
  };
  add(rule.check != nullptr, "one run");
  add(rule.check_comparison != nullptr, "a comparison");
  add(rule.check_report != nullptr, "all runs and the program");
  return scope;
}

std::string value_of(const Threshold& threshold) {
  if (threshold.unit == "share") return fmt::format("{:g} %", 100 * threshold.value);
  if (threshold.unit == "ratio") return fmt::format("{:g}x", threshold.value);
  if (threshold.unit == "bytes") return fmt::format("{:g} MiB", threshold.value / (1024.0 * 1024.0));
  if (threshold.unit == "count") return fmt::format("{:g}", threshold.value);
  return fmt::format("{:g} {}", threshold.value, threshold.unit);
}

std::string section_of(const Rule& rule) {
  const RuleDoc& doc = rule.doc;
  std::string out = fmt::format("## {}\n\n*{}.*\n\n", doc.id, doc.detects);
  out += fmt::format("* looks at: {}\n", scope_of(rule));
  out += fmt::format("* needs: {}\n", doc.needs);
  out += fmt::format("* why it costs: {}\n", doc.why);
  out += fmt::format("* what to do: {}\n", doc.remedy);
  out += fmt::format("* to confirm: {}\n", doc.confirm);
  out += fmt::format("* wrong when: {}\n\n", doc.wrong_when);
  if (rule.thresholds.empty()) return out;
  out += "| threshold | value | because |\n| --- | --- | --- |\n";
  for (const Threshold* threshold : rule.thresholds) {
    out += fmt::format("| {} | {} | {} |\n", threshold->what, value_of(*threshold), threshold->origin);
  }
  return out + "\n";
}

}  // namespace

std::string rules_markdown() {
  std::string out(kIntroduction);
  out += "| rule | finds |\n| --- | --- |\n";
  for (const Rule* rule : all_rules())
    out += fmt::format("| [{0}](#{0}) | {1} |\n", rule->doc.id, rule->doc.detects);
  out += "\n";
  for (const Rule* rule : all_rules()) out += section_of(*rule);
  out.pop_back();  // one line break at the end
  return out;
}

}  // namespace etalon::analysis
