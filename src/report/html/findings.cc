// What was found, grouped by rule so that each explanation stands once, and what came of acting on it.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "report/html/sections.h"
#include "report/text.h"

namespace etalon::report {
namespace {

using analysis::Finding;
using analysis::Report;
using analysis::VerifiedAdvice;

void write_one(const Finding& finding, Page& page) {
  page.line("<li><b><bdi>{}</bdi></b> <span class=dim>{}</span>", escaped(finding.subject), escaped(finding.profile, 80));
  if (const std::string saving = saving_text(finding); !saving.empty()) {
    page.line("<span class=gain>could save {}</span>", saving);
  }
  page.line("<div class=chips>");
  for (const analysis::Evidence& evidence : finding.evidence) page.line("<span>{}</span>", escaped(evidence_text(evidence)));
  page.line("</div>");
  if (finding.source) {
    page.line("<div class=chips><span>at {}</span><code>{}</code></div>", escaped(finding.source->text()), escaped(finding.source->code));
  }
  if (finding.remedy.kind != analysis::RemedyKind::kNone && !finding.remedy.command.empty()) {
    page.line("<pre><code>{}</code></pre>", escaped(finding.remedy.command, 400));
  }
  page.line("</li>");
}

// The members of a group are findings of one rule, the first the most severe.
void write_group(const std::vector<const Finding*>& group, Page& page) {
  constexpr std::size_t kOpen = 4;
  const Finding& first = *group.front();
  const std::string_view severity = analysis::severity_name(first.severity);
  page.line("<article class=\"find {0}\" id=\"rule-{1}\"><h3><span class=\"tag {0}\">{0}</span> {1}</h3><p>{2}</p>", severity,
            first.rule->id, escaped(first.rule->detects, 400));
  page.line("<ul>");
  for (std::size_t i = 0; i < std::min(group.size(), kOpen); ++i) write_one(*group[i], page);
  page.line("</ul>");
  if (group.size() > kOpen) {
    page.line("<details><summary>{} more</summary><ul>", group.size() - kOpen);
    for (std::size_t i = kOpen; i < group.size(); ++i) write_one(*group[i], page);
    page.line("</ul></details>");
  }
  page.line("<dl><dt>Why it costs</dt><dd>{}</dd><dt>Try</dt><dd>{}</dd></dl>"
            "<details><summary>How to confirm it, and when it is wrong</summary><dl><dt>To confirm</dt><dd>{}</dd><dt>Wrong when</dt><dd>{}</dd></dl></details></article>",
            escaped(first.rule->why, 1000), escaped(first.rule->remedy, 1000), escaped(first.rule->confirm, 1000),
            escaped(first.rule->wrong_when, 1000));
}

std::vector<std::vector<const Finding*>> groups_of(const analysis::Findings& findings) {
  std::vector<std::vector<const Finding*>> groups;
  for (const Finding& finding : findings.found) {
    const auto place = std::find_if(groups.begin(), groups.end(), [&](const auto& group) { return group.front()->rule == finding.rule; });
    if (place == groups.end()) groups.push_back({&finding});
    else place->push_back(&finding);
  }
  for (auto& group : groups) {
    std::stable_sort(group.begin(), group.end(), [](const Finding* a, const Finding* b) { return a->severity > b->severity; });
  }
  std::stable_sort(groups.begin(), groups.end(),
                   [](const auto& a, const auto& b) { return a.front()->severity > b.front()->severity; });
  return groups;
}

std::string verdict_cell(const VerifiedAdvice& advice) {
  if (!advice.verdict) return "-";
  const std::string_view claim = measure::claim_name(advice.verdict->claim);
  return fmt::format("<b class=\"{0}\">{0}</b> {1}<br><small>[{2}, {3}]</small>", claim, ratio_text(advice.verdict->ratio),
                     ratio_text(advice.verdict->interval.low), ratio_text(advice.verdict->interval.high));
}

std::string accuracy_text(const VerifiedAdvice& advice) {
  if (advice.accuracy_before && advice.accuracy_after) {
    return fmt::format("{} to {}", percent(*advice.accuracy_before), percent(*advice.accuracy_after));
  }
  if (!advice.snr_db) return "-";
  return snr_text(*advice.snr_db);
}

void write_advice_row(const VerifiedAdvice& advice, Page& page) {
  const std::string_view outcome = analysis::advice_outcome_name(advice.outcome);
  page.line("<tr><td><span class=\"tag {}\">{}</span></td>", outcome, outcome);
  page.line("<td><b>{}</b><br><bdi>{}</bdi>{}</td>", escaped(advice.rule), escaped(advice.subject),
            advice.remedy.command.empty() ? "" : "<br><code>" + escaped(advice.remedy.command, 300) + "</code>");
  page.number(advice.predicted_high_ms, saving_text(advice));
  const bool measured = advice.outcome != analysis::AdviceOutcome::kNotApplied;
  page.line("<td class=n>{}</td>", measured ? fmt::format("{} to {}", milliseconds(advice.baseline_ms), milliseconds(advice.candidate_ms)) : "-");
  page.line("<td class=n>{}</td><td class=n>{}</td><td>{}</td></tr>", verdict_cell(advice), accuracy_text(advice), escaped(advice.reason, 300));
}

}  // namespace

void write_findings(const Report& report, Page& page) {
  page.line("<section id=findings class=long><h2>Findings</h2>");
  if (report.findings.found.empty()) page.line("<p>None.</p>");
  for (const auto& group : groups_of(report.findings)) write_group(group, page);
  if (!report.findings.not_evaluated.empty()) {
    page.line("<details><summary>Not evaluated ({})</summary><div class=box><table><thead><tr><th scope=col>rule</th><th scope=col>run</th>"
              "<th scope=col>needs</th></tr></thead><tbody>", report.findings.not_evaluated.size());
    for (const analysis::NotEvaluated& skipped : report.findings.not_evaluated) {
      page.line("<tr><td>{}</td><td>{}</td><td>{}</td></tr>", escaped(skipped.rule), escaped(skipped.profile, 80), escaped(skipped.needs, 300));
    }
    page.line("</tbody></table></div></details>");
  }
  page.line("</section>");
}

void write_advice(const Report& report, Page& page) {
  if (report.advice.empty()) return;
  page.line("<section id=advice class=long><h2>Advice that was tried</h2><p class=dim>Each was applied and measured against the model "
            "without it, interleaved; the prediction was made before.</p><div class=box><table class=wide><thead><tr><th scope=col>outcome</th>"
            "<th scope=col>advice</th><th scope=col class=n>predicted saving</th><th scope=col class=n>measured</th><th scope=col class=n>verdict</th>"
            "<th scope=col class=n>outputs</th><th scope=col>reason</th></tr></thead><tbody>");
  for (const VerifiedAdvice& advice : report.advice) write_advice_row(advice, page);
  page.line("</tbody></table></div></section>");
}

}  // namespace etalon::report
