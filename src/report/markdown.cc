#include <algorithm>

#include "report/markdown_text.h"
#include "report/writers.h"

namespace etalon::report {
namespace {

using analysis::Finding;
using analysis::Profile;
using analysis::Report;
using analysis::RunResult;

constexpr std::size_t kOperators = 30;
constexpr std::size_t kLongestName = 300;

void write_head(const Report& report, Markdown& to) {
  to.line("# Profile of {}", report.model.empty() ? "a recording" : markdown_cell(report.model));
  to.blank();
  const analysis::Manifest& manifest = report.manifest;
  if (!manifest.generated_at.empty())
    to.line("* measured: {} with {}", markdown_cell(manifest.generated_at), markdown_cell(manifest.tool));
  if (!manifest.model.hash.empty()) to.line("* model: {}", markdown_cell(manifest.model.hash));
  for (const auto& [name, value] : manifest.device) to.line("* {}: {}", markdown_cell(name), markdown_cell(value));
  if (!manifest.design.empty()) to.line("* design: {} (seed {})", markdown_cell(manifest.design), manifest.seed);
  if (!report.etrecord.empty()) to.line("* export record: {}", markdown_cell(report.etrecord));
  for (const std::string& note : report.notes) to.line("* note: {}", markdown_cell(note));
  to.blank();
}

void write_results(const Report& report, Markdown& to) {
  if (report.manifest.results.empty()) return;
  to.line("## Latency");
  to.blank();
  to.line("| run | mode | median | p95 | min | max | cv | runs | first | load |");
  to.line("|---|---|---:|---:|---:|---:|---:|---:|---:|---:|");
  for (const RunResult& result : report.manifest.results) {
    to.line("| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            markdown_cell(analysis::run_name(result.experiment, result.threads)),
            result.status == "failed" ? "failed: " + markdown_cell(result.error) : markdown_cell(result.mode),
            optional_milliseconds(result.median_ms), optional_milliseconds(result.p95_ms), optional_milliseconds(result.min_ms),
            optional_milliseconds(result.max_ms), result.cv_percent ? fmt::format("{:.1f} %", *result.cv_percent) : "-",
            result.latency_ms.size(), optional_milliseconds(result.first_ms), optional_milliseconds(result.load_ms));
  }
  to.blank();
}

void write_isas(const Profile& profile, Markdown& to) {
  if (profile.isas.empty()) return;
  to.line("| instruction set | operators | time |");
  to.line("|---|---:|---:|");
  for (const analysis::IsaRow& row : profile.isas) {
    to.line("| {} | {} | {} |", markdown_cell(isa_text(row)), row.operators, milliseconds(row.ms));
  }
  to.blank();
}

void write_part(Markdown& to, std::string_view name, double ms, double total) {
  to.line("| {} | {} | {} |", markdown_cell(name), milliseconds(ms), percent(total > 0 ? ms / total : 0));
}

void write_profile(const Profile& profile, Markdown& to) {
  const analysis::Accounting& account = profile.accounting;
  to.line("## Where the time goes: {}", markdown_cell(profile.name));
  to.blank();
  to.line("| part | time | share |");
  to.line("|---|---:|---:|");
  for (const analysis::CategoryRow& row : profile.categories)
    write_part(to, row.name, row.ms, account.end_to_end_ms);
  write_part(to, "framework", account.framework_ms, account.end_to_end_ms);
  write_part(to, "residual", account.residual_ms, account.end_to_end_ms);
  write_part(to, "end to end", account.end_to_end_ms, account.end_to_end_ms);
  to.blank();
  if (account.untraced_ms) {
    to.line("Scaled to the untraced median {}; the recorded runs took {} (overhead {}).",
            milliseconds(*account.untraced_ms), milliseconds(account.traced_ms),
            percent(account.trace_overhead.value_or(0)));
  } else {
    to.line("As recorded: there is no untraced run to scale to.");
  }
  to.line("Steady runs: {}; cold runs set apart: {}.{}", profile.steady_runs, profile.cold_runs,
          profile.microsecond_events ? " The delegate reports whole microseconds." : "");
  to.blank();
  if (profile.operators.empty()) return;
  to.line("| # | operator | type | category | backend | kernel | time | share | calls | source |");
  to.line("|---:|---|---|---|---|---|---:|---:|---:|---|");
  const std::size_t count = std::min(profile.operators.size(), kOperators);
  for (std::size_t i = 0; i < count; ++i) {
    const analysis::OperatorRow& row = profile.operators[i];
    to.line("| {} | {} | {} | {} | {} | {} | {} | {} | {:g} | {} |", i + 1, markdown_cell(row.name), markdown_cell(row.op_type),
            markdown_cell(row.category), markdown_cell(row.backend), markdown_cell(row.kernel_hint), milliseconds(row.avg_ms), percent(row.share), row.calls,
            row.source ? markdown_cell(row.source->text()) : "");
  }
  if (count < profile.operators.size()) {
    to.blank();
    to.line("{} more operators are in analysis_summary.json.", profile.operators.size() - count);
  }
  to.blank();
  write_isas(profile, to);
}

void write_finding(const Finding& finding, Markdown& to) {
  to.line("### {}: {}", finding.rule->id, markdown_cell(finding.subject));
  to.blank();
  to.line("* {}: {} ({})", analysis::severity_name(finding.severity), finding.rule->detects,
          markdown_cell(finding.profile));
  for (const analysis::Evidence& evidence : finding.evidence) to.line("* {}", markdown_cell(evidence_text(evidence)));
  if (finding.source) to.line("* at {}: {}", markdown_cell(finding.source->text()), markdown_cell(finding.source->code));
  to.line("* why it costs: {}", finding.rule->why);
  to.line("* try: {}", finding.rule->remedy);
  if (const std::string saving = saving_text(finding); !saving.empty()) to.line("* could save: {}", saving);
  to.line("* to confirm: {}", finding.rule->confirm);
  to.line("* wrong when: {}", finding.rule->wrong_when);
  to.blank();
}

void write_findings(const Report& report, Markdown& to) {
  to.line("## Findings");
  to.blank();
  if (report.findings.found.empty()) {
    to.line("None.");
    to.blank();
  }
  for (const Finding& finding : report.findings.found) write_finding(finding, to);
  for (const analysis::NotEvaluated& skipped : report.findings.not_evaluated) {
    to.line("* {}: not evaluated for {}, needs {}", skipped.rule, markdown_cell(skipped.profile), markdown_cell(skipped.needs));
  }
}

}  // namespace

std::string markdown_cell(std::string_view text) {
  std::string out;
  for (const char c : shown(text, kLongestName)) {
    if (c == '|' || c == '<' || c == '>' || c == '`' || c == '*' || c == '\\' || c == '[') out.push_back('\\');
    out.push_back(c);
  }
  return out;
}

std::string optional_milliseconds(const std::optional<double>& ms) { return ms ? milliseconds(*ms) : "-"; }

std::string write_markdown(const Report& report) {
  Markdown to;
  write_head(report, to);
  write_results(report, to);
  write_comparisons(report, to);
  if (report.table) write_factor_table(*report.table, to);
  for (const Profile& profile : report.profiles) write_profile(profile, to);
  write_findings(report, to);
  write_advice(report, to);
  return to.take();
}

}  // namespace etalon::report
