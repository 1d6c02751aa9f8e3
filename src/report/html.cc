// One self-contained page: latency, a bar per category, the operators, the findings. No script, nothing fetched.
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

constexpr std::size_t kOperators = 50;

constexpr std::string_view kStyle =
    "body{font:15px/1.45 system-ui,sans-serif;margin:2em auto;max-width:68em;padding:0 1em;color:#1b1f24}"
    "h1{font-size:1.5em}h2{font-size:1.15em;margin-top:2em}table{border-collapse:collapse;width:100%}"
    "td,th{padding:.25em .6em;border-bottom:1px solid #e3e6ea;text-align:left;vertical-align:top}"
    "td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}"
    ".bar{background:#2f6fde;height:.9em;border-radius:2px}.dim{color:#68707a}"
    ".finding{border-left:4px solid #e0a100;padding:.1em 1em;margin:1em 0;background:#fbfaf5}";

// Names come from files: nothing in them may become markup.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : shown(text)) {
    switch (c) {
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '&': out += "&amp;"; break;
      case '"': out += "&quot;"; break;
      default: out += c;
    }
  }
  return out;
}

class Page {
 public:
  template <class... Args>
  void line(fmt::format_string<Args...> text, Args&&... args) {
    fmt::format_to(std::back_inserter(out_), text, std::forward<Args>(args)...);
    out_ += '\n';
  }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

void write_head(const Report& report, Page& page) {
  const std::string title = report.model.empty() ? "Profile of a recording" : "Profile of " + escaped(report.model);
  page.line("<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>{}</title>", title);
  page.line("<style>{}</style></head>\n<body>\n<h1>{}</h1>", kStyle, title);
  const analysis::Manifest& manifest = report.manifest;
  if (!manifest.generated_at.empty()) {
    page.line("<p class=\"dim\">measured {} with {}</p>", escaped(manifest.generated_at), escaped(manifest.tool));
  }
  for (const auto& [name, value] : manifest.device) page.line("<div class=\"dim\">{}: {}</div>", escaped(name), escaped(value));
  for (const std::string& note : report.notes) page.line("<p>note: {}</p>", escaped(note));
}

std::string optional_ms(const std::optional<double>& ms) { return ms ? milliseconds(*ms) : "-"; }

void write_results(const Report& report, Page& page) {
  if (report.manifest.results.empty()) return;
  page.line("<h2>Latency</h2>\n<table><tr><th>run<th>mode<th class=n>median<th class=n>p95<th class=n>min<th class=n>max<th class=n>runs</tr>");
  for (const analysis::RunResult& result : report.manifest.results) {
    page.line("<tr><td>{}<td>{}<td class=n>{}<td class=n>{}<td class=n>{}<td class=n>{}<td class=n>{}</tr>",
              escaped(analysis::run_name(result.experiment, result.threads)),
              result.status == "failed" ? "failed: " + escaped(result.error) : escaped(result.mode), optional_ms(result.median_ms),
              optional_ms(result.p95_ms), optional_ms(result.min_ms), optional_ms(result.max_ms), result.latency_ms.size());
  }
  page.line("</table>");
  if (report.comparisons.empty()) return;
  page.line("<table><tr><th>comparison<th class=n>baseline<th class=n>candidate<th class=n>ratio of medians</tr>");
  for (const analysis::Comparison& row : report.comparisons) {
    page.line("<tr><td>{}<td class=n>{}<td class=n>{}<td class=n>{:.3f}</tr>", escaped(row.label), milliseconds(row.baseline_ms),
              milliseconds(row.candidate_ms), row.ratio);
  }
  page.line("</table>");
}

void write_kernel_changes(const Report& report, Page& page) {
  for (const analysis::Comparison& row : report.comparisons) {
    const analysis::KernelComparison& kernels = row.kernels;
    if (kernels.compared == 0 || (!row.differs_in_kernels && kernels.changed == 0)) continue;
    page.line("<h3>Kernels: {}</h3><p>{} of {} operators ran another kernel; {} exist on one side only.</p>", escaped(row.label),
              kernels.changed, kernels.compared, kernels.only_in_one);
    if (kernels.changes.empty()) continue;
    page.line("<table><tr><th class=n>operators<th>baseline kernel<th class=n>time<th>candidate kernel<th class=n>time</tr>");
    for (const analysis::KernelChange& change : kernels.changes) {
      page.line("<tr><td class=n>{}<td>{}<td class=n>{}<td>{}<td class=n>{}</tr>", change.operators.size(),
                escaped(change.baseline_kernel), milliseconds(change.baseline_ms), escaped(change.candidate_kernel),
                milliseconds(change.candidate_ms));
    }
    page.line("</table>");
  }
}

void write_isas(const Profile& profile, Page& page) {
  if (profile.isas.empty()) return;
  page.line("<table><tr><th>instruction set<th class=n>operators<th class=n>time</tr>");
  for (const analysis::IsaRow& row : profile.isas) {
    page.line("<tr><td>{}<td class=n>{}<td class=n>{}</tr>", escaped(isa_text(row)), row.operators, milliseconds(row.ms));
  }
  page.line("</table>");
}

void write_part(Page& page, std::string_view name, double ms, double total) {
  const double share = total > 0 ? ms / total : 0;
  page.line("<tr><td>{}<td style=\"width:50%\"><div class=\"bar\" style=\"width:{:.1f}%\"></div><td class=n>{}<td class=n>{}</tr>",
            escaped(name), std::clamp(share, 0.0, 1.0) * 100, milliseconds(ms), percent(share));
}

void write_operators(const Profile& profile, Page& page) {
  if (profile.operators.empty()) return;
  page.line("<table><tr><th class=n>#<th>operator<th>category<th>backend<th class=n>time<th class=n>share<th>source</tr>");
  const std::size_t count = std::min(profile.operators.size(), kOperators);
  for (std::size_t i = 0; i < count; ++i) {
    const analysis::OperatorRow& row = profile.operators[i];
    page.line("<tr><td class=n>{}<td>{}<br><span class=\"dim\">{} {}</span><td>{}<td>{}<td class=n>{}<td class=n>{}<td>{}</tr>", i + 1,
              escaped(row.name), escaped(row.op_type), escaped(row.kernel_hint), escaped(row.category), escaped(row.backend), milliseconds(row.avg_ms),
              percent(row.share), row.source ? escaped(row.source->text()) : "");
  }
  page.line("</table>");
  if (count < profile.operators.size()) {
    page.line("<p class=\"dim\">{} more operators are in analysis_summary.json</p>", profile.operators.size() - count);
  }
}

void write_profile(const Profile& profile, Page& page) {
  const analysis::Accounting& account = profile.accounting;
  page.line("<h2>Where the time goes: {}</h2>\n<table>", escaped(profile.name));
  for (const analysis::CategoryRow& row : profile.categories) write_part(page, row.name, row.ms, account.end_to_end_ms);
  write_part(page, "framework", account.framework_ms, account.end_to_end_ms);
  write_part(page, "residual", account.residual_ms, account.end_to_end_ms);
  write_part(page, "end to end", account.end_to_end_ms, account.end_to_end_ms);
  page.line("</table>");
  write_operators(profile, page);
  write_isas(profile, page);
}

void write_finding(const Finding& finding, Page& page) {
  page.line("<div class=\"finding\"><h3>{}: {}</h3><p>{} ({})</p><ul>", finding.rule->id, escaped(finding.subject),
            finding.rule->detects, escaped(finding.profile));
  for (const analysis::Evidence& evidence : finding.evidence) page.line("<li>{}</li>", escaped(evidence_text(evidence)));
  if (finding.source) page.line("<li>at {}</li>", escaped(finding.source->text()));
  page.line("<li>why it costs: {}</li><li>try: {}</li>", finding.rule->why, finding.rule->remedy);
  if (const std::string saving = saving_text(finding); !saving.empty()) page.line("<li>could save: {}</li>", saving);
  page.line("<li>to confirm: {}</li><li>wrong when: {}</li></ul></div>", finding.rule->confirm, finding.rule->wrong_when);
}

}  // namespace

std::string write_html(const Report& report) {
  Page page;
  write_head(report, page);
  write_results(report, page);
  write_kernel_changes(report, page);
  for (const Profile& profile : report.profiles) write_profile(profile, page);
  page.line("<h2>Findings</h2>");
  if (report.findings.found.empty()) page.line("<p>None.</p>");
  for (const Finding& finding : report.findings.found) write_finding(finding, page);
  page.line("</body>\n</html>");
  return page.take();
}

}  // namespace etalon::report
