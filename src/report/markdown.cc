#include <fmt/core.h>

#include <algorithm>
#include <iterator>

#include "report/text.h"
#include "report/writers.h"

namespace etalon::report {
namespace {

using analysis::Finding;
using analysis::Profile;
using analysis::Report;
using analysis::RunResult;

constexpr std::size_t kOperators = 30;

// Names come from files: nothing in them may end a cell or start markup.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : shown(text)) {
    if (c == '|' || c == '<' || c == '>' || c == '`' || c == '*' || c == '\\' || c == '[')
      out.push_back('\\');
    out.push_back(c);
  }
  return out;
}

std::string optional_ms(const std::optional<double>& ms) { return ms ? milliseconds(*ms) : "-"; }

class Markdown {
 public:
  template <class... Args>
  void line(fmt::format_string<Args...> text, Args&&... args) {
    fmt::format_to(std::back_inserter(out_), text, std::forward<Args>(args)...);
    out_ += '\n';
  }
  void blank() { out_ += '\n'; }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

void write_head(const Report& report, Markdown& to) {
  to.line("# Profile of {}", report.model.empty() ? "a recording" : cell(report.model));
  to.blank();
  const analysis::Manifest& manifest = report.manifest;
  if (!manifest.generated_at.empty())
    to.line("* measured: {} with {}", cell(manifest.generated_at), cell(manifest.tool));
  if (!manifest.model.hash.empty()) to.line("* model: {}", cell(manifest.model.hash));
  for (const auto& [name, value] : manifest.device) to.line("* {}: {}", cell(name), cell(value));
  if (!manifest.design.empty()) to.line("* design: {} (seed {})", cell(manifest.design), manifest.seed);
  if (!report.etrecord.empty()) to.line("* export record: {}", cell(report.etrecord));
  for (const std::string& note : report.notes) to.line("* note: {}", cell(note));
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
            cell(analysis::run_name(result.experiment, result.threads)),
            result.status == "failed" ? "failed: " + cell(result.error) : cell(result.mode),
            optional_ms(result.median_ms), optional_ms(result.p95_ms), optional_ms(result.min_ms),
            optional_ms(result.max_ms), result.cv_percent ? fmt::format("{:.1f} %", *result.cv_percent) : "-",
            result.latency_ms.size(), optional_ms(result.first_ms), optional_ms(result.load_ms));
  }
  to.blank();
  if (report.comparisons.empty()) return;
  to.line("| comparison | baseline | candidate | ratio of medians |");
  to.line("|---|---:|---:|---:|");
  for (const analysis::Comparison& row : report.comparisons) {
    to.line("| {} | {} | {} | {:.3f} |", cell(row.label), milliseconds(row.baseline_ms),
            milliseconds(row.candidate_ms), row.ratio);
  }
  to.blank();
}

void write_kernel_changes(const Report& report, Markdown& to) {
  for (const analysis::Comparison& row : report.comparisons) {
    const analysis::KernelComparison& kernels = row.kernels;
    if (kernels.compared == 0 || (!row.differs_in_kernels && kernels.changed == 0)) continue;
    to.line("### Kernels: {}", cell(row.label));
    to.blank();
    to.line("{} of {} operators ran another kernel; {} exist on one side only.", kernels.changed, kernels.compared,
            kernels.only_in_one);
    to.blank();
    if (kernels.changes.empty()) continue;
    to.line("| operators | baseline kernel | isa | time | candidate kernel | isa | time |");
    to.line("|---:|---|---|---:|---|---|---:|");
    for (const analysis::KernelChange& change : kernels.changes) {
      to.line("| {} | {} | {} | {} | {} | {} | {} |", change.operators.size(), cell(change.baseline_kernel),
              cell(change.baseline_isa), milliseconds(change.baseline_ms), cell(change.candidate_kernel),
              cell(change.candidate_isa), milliseconds(change.candidate_ms));
    }
    to.blank();
  }
}

void write_isas(const Profile& profile, Markdown& to) {
  if (profile.isas.empty()) return;
  to.line("| instruction set | operators | time |");
  to.line("|---|---:|---:|");
  for (const analysis::IsaRow& row : profile.isas) {
    to.line("| {} | {} | {} |", cell(isa_text(row)), row.operators, milliseconds(row.ms));
  }
  to.blank();
}

void write_part(Markdown& to, std::string_view name, double ms, double total) {
  to.line("| {} | {} | {} |", cell(name), milliseconds(ms), percent(total > 0 ? ms / total : 0));
}

void write_profile(const Profile& profile, Markdown& to) {
  const analysis::Accounting& account = profile.accounting;
  to.line("## Where the time goes: {}", cell(profile.name));
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
    to.line("| {} | {} | {} | {} | {} | {} | {} | {} | {:g} | {} |", i + 1, cell(row.name), cell(row.op_type),
            cell(row.category), cell(row.backend), cell(row.kernel_hint), milliseconds(row.avg_ms), percent(row.share), row.calls,
            row.source ? cell(row.source->text()) : "");
  }
  if (count < profile.operators.size()) {
    to.blank();
    to.line("{} more operators are in analysis_summary.json.", profile.operators.size() - count);
  }
  to.blank();
  write_isas(profile, to);
}

void write_finding(const Finding& finding, Markdown& to) {
  to.line("### {}: {}", finding.rule->id, cell(finding.subject));
  to.blank();
  to.line("* {}: {} ({})", analysis::severity_name(finding.severity), finding.rule->detects,
          cell(finding.profile));
  for (const analysis::Evidence& evidence : finding.evidence) to.line("* {}", cell(evidence_text(evidence)));
  if (finding.source) to.line("* at {}: {}", cell(finding.source->text()), cell(finding.source->code));
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
    to.line("* {}: not evaluated for {}, needs {}", skipped.rule, cell(skipped.profile), skipped.needs);
  }
}

}  // namespace

std::string write_markdown(const Report& report) {
  Markdown to;
  write_head(report, to);
  write_results(report, to);
  write_kernel_changes(report, to);
  for (const Profile& profile : report.profiles) write_profile(profile, to);
  write_findings(report, to);
  return to.take();
}

}  // namespace etalon::report
