// One part per run: its categories, its operators, its roofline and its timeline.
#include <fmt/core.h>

#include <algorithm>

#include "report/html/sections.h"
#include "report/text.h"

namespace etalon::report {
namespace {

using analysis::OperatorRow;
using analysis::Profile;
using analysis::Report;

void write_categories(const Profile& profile, Page& page) {
  page.line("<div class=box><table data-sortable><thead><tr><th scope=col>category</th><th scope=col class=n>operators</th><th scope=col class=n>time</th>"
            "<th scope=col class=n>share</th></tr></thead><tbody>");
  for (const analysis::CategoryRow& row : profile.categories) {
    page.line("<tr><td class=cat><i class=\"dot {}\" aria-hidden=true></i>{}</td>", category_class(row.name), escaped(row.name, 60));
    page.number(static_cast<double>(row.operators), fmt::format("{}", row.operators));
    page.number(row.ms, milliseconds(row.ms));
    page.number(row.share, percent(row.share));
    page.line("</tr>");
  }
  page.line("</tbody></table></div>");
}

void write_isas(const Profile& profile, Page& page) {
  if (profile.isas.empty()) return;
  page.line("<h4>Instruction sets that ran</h4><div class=box><table><thead><tr><th scope=col>instruction set</th><th scope=col class=n>operators</th>"
            "<th scope=col class=n>time</th></tr></thead><tbody>");
  for (const analysis::IsaRow& row : profile.isas) {
    page.line("<tr><td>{}</td><td class=n>{}</td><td class=n>{}</td></tr>", escaped(isa_text(row), 300), row.operators, milliseconds(row.ms));
  }
  page.line("</tbody></table></div>");
}

std::string findings_of(const OperatorRow& row, const Profile& profile, const Report& report) {
  std::string out;
  for (const analysis::Finding& finding : report.findings.found) {
    if (finding.subject != row.name || finding.profile != profile.name) continue;
    out += fmt::format("{}<a href=\"#rule-{}\">{}</a>", out.empty() ? "" : "<br>", finding.rule->id, finding.rule->id);
  }
  return out;
}

std::string kernel_cell(const OperatorRow& row) {
  std::string out = row.kernel_hint.empty() ? "" : "<code>" + escaped(row.kernel_hint) + "</code>";
  if (!row.isa.empty()) {
    const bool less = !row.wanted_isa.empty() && row.wanted_isa != row.isa;
    out += fmt::format("<br><small>{}{}</small>", escaped(row.isa, 30),
                       less ? escaped(" instead of " + row.wanted_isa + (row.isa_reason.empty() ? "" : ": " + row.isa_reason), 200) : "");
  }
  return out.empty() ? "-" : out;
}

void write_work(const OperatorRow& row, Page& page) {
  page.number(row.flops, row.flops ? fmt::format("{:.2f}", *row.flops / 1e6) : "-");
  page.number(row.gflops_per_second, row.gflops_per_second ? fmt::format("{:.1f}", *row.gflops_per_second) : "-");
  page.number(row.gbytes_per_second, row.gbytes_per_second ? fmt::format("{:.1f}", *row.gbytes_per_second) : "-");
  if (!row.share_of_roof) {
    page.number(std::nullopt, "-");
    return;
  }
  page.number(row.share_of_roof, fmt::format("{}{}", percent(*row.share_of_roof), row.bound.empty() ? "" : "<br><small>" + escaped(row.bound, 20) + "</small>"));
}

void write_row(std::size_t number, const OperatorRow& row, const Profile& profile, const Report& report, Page& page) {
  page.line("<tr data-category=\"{}\">", escaped(row.category, 60));
  page.number(static_cast<double>(number), fmt::format("{}", number));
  page.line("<td class=opname><bdi>{}</bdi><br><small>{}{}</small></td>", escaped(row.name), escaped(row.op_type, 80),
            row.backend.empty() ? "" : ", " + escaped(row.backend, 40));
  page.line("<td class=cat><i class=\"dot {}\" aria-hidden=true></i>{}</td>", category_class(row.category), escaped(row.category, 60));
  page.number(row.avg_ms, fmt::format("{}{}", milliseconds(row.avg_ms), row.below_resolution ? "<br><small>below the clock</small>" : ""));
  const double width = std::clamp(100 * row.share, 0.0, 100.0);
  page.number(row.share, fmt::format("{}<span class=sharebar><i style=\"width:{:.1f}%\"></i></span>", percent(row.share), width));
  page.line("<td class=kern>{}</td><td>{}</td><td class=shape>{}</td>", kernel_cell(row), row.dtype.empty() ? "-" : escaped(row.dtype, 20),
            row.shape.empty() ? "-" : escaped(row.shape, 120));
  write_work(row, page);
  page.line("<td>{}</td><td>{}</td></tr>", row.source ? fmt::format("<span title=\"{}\">{}</span><br><small>{}</small>", escaped(row.source->code, 200),
                                                           escaped(row.source->text(), 100), escaped(row.source->module, 80)) : "-",
            findings_of(row, profile, report));
}

void write_operators(const Profile& profile, std::size_t index, const Report& report, Page& page) {
  if (profile.operators.empty()) return;
  const std::string id = fmt::format("operators-{}", index);
  page.line("<h4>Operators ({})</h4><div class=\"tools needjs\" data-filters=\"{}\"><label for=\"{}-words\">Filter</label>"
            "<input type=search id=\"{}-words\" placeholder=\"name, kernel, shape, file\"><select aria-label=Category><option value=\"\">all categories</option>",
            profile.operators.size(), id, id, id);
  for (const analysis::CategoryRow& row : profile.categories) page.line("<option>{}</option>", escaped(row.name, 60));
  page.line("</select><output class=dim></output></div>");
  page.line("<div class=\"box tall\" tabindex=0 role=region aria-label=\"Operators\"><table id=\"{}\" class=ops data-sortable><thead><tr><th scope=col class=n>#</th><th scope=col>operator</th>"
            "<th scope=col>category</th><th scope=col class=n aria-sort=descending>time</th><th scope=col class=n>share</th><th scope=col>kernel</th>"
            "<th scope=col>dtype</th><th scope=col>shape</th><th scope=col class=n>MFLOP</th><th scope=col class=n>GFLOP/s</th><th scope=col class=n>GB/s</th>"
            "<th scope=col class=n>of the roof</th><th scope=col>source</th><th scope=col>findings</th></tr></thead><tbody>", id);
  for (std::size_t i = 0; i < profile.operators.size(); ++i) write_row(i + 1, profile.operators[i], profile, report, page);
  page.line("</tbody></table></div>");
}

}  // namespace

void write_runs(const Report& report, Page& page) {
  if (report.profiles.empty()) return;
  page.line("<section id=runs class=long><h2>Run by run</h2>");
  for (std::size_t i = 0; i < report.profiles.size(); ++i) {
    const Profile& profile = report.profiles[i];
    page.line("<details class=run{}><summary><bdi>{}</bdi><span>{}, {} operators</span></summary>", i == 0 ? " open" : "", escaped(profile.name, 100),
              milliseconds(profile.accounting.end_to_end_ms), profile.operators.size());
    write_categories(profile, page);
    write_operators(profile, i + 1, report, page);
    write_isas(profile, page);
    if (report.ceilings) write_roofline(profile, *report.ceilings, page);
    for (const analysis::Timeline& timeline : report.timelines) {
      if (timeline.profile == profile.name) write_timeline(profile, timeline, page);
    }
    page.line("</details>");
  }
  page.line("</section>");
}

}  // namespace etalon::report
