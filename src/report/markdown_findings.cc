#include "report/markdown_text.h"

namespace etalon::report {
using analysis::VerifiedAdvice;

void write_advice(const analysis::Report& report, Markdown& to) {
  if (report.advice.empty()) return;
  to.line("## Advice that was tried");
  to.blank();
  to.line("| outcome | advice | applied | predicted saving | measured | verdict | reason |");
  to.line("|---|---|---|---:|---|---|---|");
  for (const VerifiedAdvice& advice : report.advice) {
    const bool measured = advice.outcome != analysis::AdviceOutcome::kNotApplied;
    to.line("| {} | {}: {} | {} | {} | {} | {} | {} |", analysis::advice_outcome_name(advice.outcome), markdown_cell(advice.rule), markdown_cell(advice.subject),
            advice.remedy.command.empty() ? "-" : markdown_cell(advice.remedy.command), saving_text(advice),
            measured ? fmt::format("{} to {}", milliseconds(advice.baseline_ms), milliseconds(advice.candidate_ms)) : "-",
            advice.verdict ? verdict_text(*advice.verdict) : "-", markdown_cell(advice.reason));
  }
  to.blank();
}

}  // namespace etalon::report
