#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <set>
#include <string_view>
#include <utility>

#include "report/text.h"
#include "report/writers.h"

namespace etalon::report {
namespace {

using analysis::Accounting;
using analysis::Finding;
using analysis::Profile;
using analysis::Report;
using analysis::RunResult;

class Terminal {
 public:
  explicit Terminal(const Style& style) : style_(style) {}

  template <class... Args>
  void line(fmt::format_string<Args...> text, Args&&... args) {
    fmt::format_to(std::back_inserter(out_), text, std::forward<Args>(args)...);
    out_ += '\n';
  }
  void blank() { out_ += '\n'; }
  void heading(std::string_view text) {
    blank();
    line("{}", styled("1", text));
  }
  std::string styled(const char* code, std::string_view text) const {
    return style_.colour ? fmt::format("\033[{}m{}\033[0m", code, text) : std::string(text);
  }
  // Eighths of a cell on a colour terminal, which is one that shows them; plain otherwise.
  std::string bar(double share, std::size_t cells, const char* code) const {
    const double bounded = std::clamp(std::isfinite(share) ? share : 0.0, 0.0, 1.0);
    const auto full = static_cast<std::size_t>(std::lround(bounded * static_cast<double>(cells)));
    std::string text;
    for (std::size_t i = 0; i < full; ++i) text += style_.colour ? "\u2588" : "#";
    return styled(code, text) + std::string(cells - full, ' ');
  }
  std::string wrapped(std::string_view text, std::size_t indent) const {
    const std::size_t room = std::max<std::size_t>(style_.width, indent + 30) - indent;
    std::string out;
    std::size_t column = 0;
    while (!text.empty()) {
      const std::size_t end = text.find(' ');
      const std::string_view word = text.substr(0, end);
      if (column > 0 && column + 1 + word.size() > room) {
        out += '\n' + std::string(indent, ' ');
        column = 0;
      }
      if (column > 0) out += ' ', ++column;
      out += word;
      column += word.size();
      text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    }
    return out;
  }
  const Style& style() const { return style_; }
  std::string take() { return std::move(out_); }

 private:
  const Style& style_;
  std::string out_;
};

void write_results(const Report& report, Terminal& to) {
  if (report.manifest.results.empty()) return;
  to.heading("Latency");
  to.line("  {:<32} {:>10} {:>10} {:>10} {:>7} {:>6} {:>10}", "run", "median", "p95", "min", "cv", "runs",
          "first");
  for (const RunResult& result : report.manifest.results) {
    const std::string name = shown(analysis::run_name(result.experiment, result.threads), 32);
    if (result.status == "failed") {
      to.line("  {:<32} {} {}", name, to.styled("31", "failed:"), shown(result.error, to.style().width));
      continue;
    }
    if (!result.median_ms) {
      to.line("  {:<32} {}", name, to.styled("2", fmt::format("({} run, no latency)", result.mode)));
      continue;
    }
    const auto text = [](const std::optional<double>& ms) {
      return ms ? milliseconds(*ms) : std::string("-");
    };
    to.line("  {:<32} {:>10} {:>10} {:>10} {:>7} {:>6} {:>10}", name, text(result.median_ms),
            text(result.p95_ms), text(result.min_ms),
            result.cv_percent ? fmt::format("{:.1f} %", *result.cv_percent) : "-", result.latency_ms.size(),
            text(result.first_ms));
  }
  for (const analysis::Comparison& row : report.comparisons) {
    to.line("  {}: {} -> {}, {}", shown(row.label, 80), milliseconds(row.baseline_ms), milliseconds(row.candidate_ms),
            row.verdict ? verdict_text(*row.verdict) : fmt::format("ratio of medians {:.3f}", row.ratio));
  }
}

// Which kernels an on / off pair really exchanged.
void write_kernel_changes(const Report& report, Terminal& to) {
  constexpr std::size_t kShown = 8;
  for (const analysis::Comparison& row : report.comparisons) {
    const analysis::KernelComparison& kernels = row.kernels;
    if (kernels.compared == 0 || (!row.differs_in_kernels && kernels.changed == 0)) continue;
    to.heading(fmt::format("Kernels: {}", shown(row.label)));
    to.line("  {} of {} operators ran another kernel{}", kernels.changed, kernels.compared,
            kernels.only_in_one > 0 ? fmt::format("; {} exist on one side only", kernels.only_in_one) : "");
    for (std::size_t i = 0; i < std::min(kernels.changes.size(), kShown); ++i) {
      const analysis::KernelChange& change = kernels.changes[i];
      to.line("  {:>4} x {}  {}", change.operators.size(), shown(change.baseline_kernel), milliseconds(change.baseline_ms));
      to.line("      -> {}  {}", shown(change.candidate_kernel), to.styled("1", milliseconds(change.candidate_ms)));
    }
    if (kernels.changes.size() > kShown) {
      to.line("  {} more pairs are in analysis_summary.json", kernels.changes.size() - kShown);
    }
  }
}

void write_isas(const Profile& profile, Terminal& to) {
  constexpr std::size_t kShown = 5;
  if (profile.isas.empty()) return;
  to.heading("Instruction sets that ran");
  for (std::size_t i = 0; i < std::min(profile.isas.size(), kShown); ++i) {
    const analysis::IsaRow& row = profile.isas[i];
    to.line("  {:>4} operators {:>10}  {}", row.operators, milliseconds(row.ms), to.wrapped(shown(isa_text(row)), 29));
  }
}

void write_part(Terminal& to, std::string_view name, double ms, double total, const char* colour) {
  const double share = total > 0 ? ms / total : 0;
  to.line("  {:<16} {} {:>10} {:>8}", shown(name, 16), to.bar(share, 40, colour), milliseconds(ms),
          percent(share));
}

void write_breakdown(const Profile& profile, Terminal& to) {
  const Accounting& account = profile.accounting;
  to.heading(fmt::format("Where the time goes: {}", shown(profile.name)));
  for (const analysis::CategoryRow& row : profile.categories) {
    write_part(to, row.name, row.ms, account.end_to_end_ms, "36");
  }
  write_part(to, "framework", account.framework_ms, account.end_to_end_ms, "33");
  write_part(to, "residual", account.residual_ms, account.end_to_end_ms, "35");
  to.line("  {:<16} {} {:>10} {:>8}", "end to end", std::string(40, ' '), milliseconds(account.end_to_end_ms),
          percent(1));
  std::string basis = account.untraced_ms ? fmt::format("scaled to the untraced median; recording cost {}",
                                                        percent(account.trace_overhead.value_or(0)))
                                          : std::string("as recorded, there is no untraced run to scale to");
  basis += fmt::format("; {} steady runs, {} cold set apart", profile.steady_runs, profile.cold_runs);
  if (profile.microsecond_events) basis += "; the delegate reports whole microseconds";
  to.line("  {}", to.styled("2", to.wrapped(basis, 2)));
}

void write_operators(const Profile& profile, Terminal& to) {
  if (profile.operators.empty()) return;
  const std::size_t count = std::min(profile.operators.size(), to.style().operators);
  to.heading(fmt::format("Top operators ({} of {})", count, profile.operators.size()));
  const std::size_t width = std::max<std::size_t>(to.style().width, 80);
  const std::size_t name_width = std::clamp<std::size_t>(width / 3, 26, 44);
  for (std::size_t i = 0; i < count; ++i) {
    const analysis::OperatorRow& row = profile.operators[i];
    const std::string place = row.source ? row.source->text() : "";
    const std::string module = row.source ? row.source->module : "";
    std::string where = module.empty() || place.empty() ? place + module : fmt::format("{}  {}", module, place);
    if (!row.isa.empty()) where = fmt::format("{}  {}", row.kernel_hint, where);
    const std::size_t used = name_width + 30;
    to.line("  {:>2} {:<{}} {:>10} {:>8}  {}", i + 1, shown(row.name, name_width), name_width,
            milliseconds(row.avg_ms), percent(row.share),
            to.styled("2", shown(where, width > used ? width - used : 20)));
  }
}

void write_finding(const Finding& finding, Terminal& to) {
  const bool strong = finding.severity == analysis::Severity::kWarning;
  const std::string title = fmt::format("{}: {}", finding.rule->id, shown(finding.subject, 60));
  to.line("  {} {}", to.styled(strong ? "31" : "33", strong ? "!" : "*"), to.styled("1", title));
  std::string text;
  for (const analysis::Evidence& evidence : finding.evidence) {
    text += (text.empty() ? "" : ", ") + shown(evidence_text(evidence), 60);
  }
  to.line("    {}", to.wrapped(fmt::format("{} ({})", finding.rule->detects, text), 4));
  if (finding.source)
    to.line("    at {} {}", shown(finding.source->text(), 60), to.styled("2", shown(finding.source->code, 60)));
  to.line("    try: {}", to.wrapped(finding.rule->remedy, 4));
  if (const std::string saving = saving_text(finding); !saving.empty()) to.line("    could save: {}", saving);
}

void write_findings(const Report& report, Terminal& to) {
  to.heading("Findings");
  if (report.findings.found.empty()) to.line("  none");
  for (const Finding& finding : report.findings.found) {
    if (report.profiles.size() > 1) to.line("  {}", to.styled("2", shown(finding.profile)));
    write_finding(finding, to);
  }
  // The same rule lacks the same thing in every run; once is enough for a reader.
  std::set<std::pair<std::string_view, std::string_view>> told;
  for (const analysis::NotEvaluated& skipped : report.findings.not_evaluated) {
    if (!told.emplace(skipped.rule, skipped.needs).second) continue;
    to.line("  {}", to.styled("2", fmt::format("{}: not evaluated, needs {}", skipped.rule, shown(skipped.needs, 200))));
  }
}

void write_advice(const Report& report, Terminal& to) {
  if (report.advice.empty()) return;
  to.heading("Advice that was tried");
  for (const analysis::VerifiedAdvice& advice : report.advice) {
    const bool kept = advice.outcome == analysis::AdviceOutcome::kKept;
    to.line("  {} {}: {}", to.styled(kept ? "32" : "33", fmt::format("{:<11}", analysis::advice_outcome_name(advice.outcome))), shown(advice.rule, 40),
            shown(advice.subject, 50));
    if (!advice.remedy.command.empty()) to.line("              {}", to.styled("2", shown(advice.remedy.command, to.style().width)));
    if (advice.verdict) to.line("              predicted saving {}; measured {} -> {}, {}", saving_text(advice), milliseconds(advice.baseline_ms), milliseconds(advice.candidate_ms), verdict_text(*advice.verdict));
    if (!advice.reason.empty()) to.line("              {}", to.wrapped(shown(advice.reason), 14));
  }
}

}  // namespace

std::string write_terminal(const Report& report, const Style& style) {
  Terminal to(style);
  if (!report.model.empty()) to.line("{}  {}", to.styled("1", shown(report.model)), shown(report.run_dir));
  write_results(report, to);
  write_kernel_changes(report, to);
  for (const Profile& profile : report.profiles) {
    write_breakdown(profile, to);
    write_operators(profile, to);
    write_isas(profile, to);
  }
  write_findings(report, to);
  write_advice(report, to);
  if (!report.notes.empty()) to.blank();
  for (const std::string& note : report.notes) to.line("note: {}", shown(note));
  return to.take();
}

}  // namespace etalon::report
