#include "report/markdown_text.h"

namespace etalon::report {
namespace {

using analysis::VerifiedAdvice;

std::string predicted_text(const VerifiedAdvice& advice) {
  if (!advice.predicted_high_ms) return "-";
  const double low = advice.predicted_low_ms.value_or(0);
  return fmt::format("{} to {}", low > 0 ? milliseconds(low) : "0", milliseconds(*advice.predicted_high_ms));
}

}  // namespace

void write_advice(const analysis::Report& report, Markdown& to) {
  if (report.advice.empty()) return;
  to.line("## Advice that was tried");
  to.blank();
  to.line("| outcome | advice | applied | predicted saving | measured | verdict | reason |");
  to.line("|---|---|---|---:|---|---|---|");
  for (const VerifiedAdvice& advice : report.advice) {
    const bool measured = advice.outcome != analysis::AdviceOutcome::kNotApplied;
    to.line("| {} | {}: {} | {} | {} | {} | {} | {} |", analysis::advice_outcome_name(advice.outcome), markdown_cell(advice.rule), markdown_cell(advice.subject),
            advice.remedy.command.empty() ? "-" : markdown_cell(advice.remedy.command), predicted_text(advice),
            measured ? fmt::format("{} to {}", milliseconds(advice.baseline_ms), milliseconds(advice.candidate_ms)) : "-",
            advice.verdict ? verdict_text(*advice.verdict) : "-", markdown_cell(advice.reason));
  }
  to.blank();
}

}  // namespace etalon::report
