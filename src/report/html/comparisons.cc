// Two runs side by side: waterfall, categories, operators, kernels, outputs.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "report/html/sections.h"
#include "report/text.h"

namespace etalon::report {
namespace {

using analysis::Comparison;

std::string signed_ms(double ms) { return (ms > 0 ? "+" : "") + milliseconds(ms); }
std::string_view direction(double delta) { return delta < 0 ? "less" : "more"; }

void write_stack(const std::string& name, double whole, double longest, const Comparison& row, bool candidate, Page& page) {
  page.line("<div class=bar><b><bdi>{}</bdi></b><div class=stack aria-hidden=true>", escaped(name, 80));
  for (const analysis::CategoryChange& change : row.categories) {
    const double ms = candidate ? change.candidate_ms : change.baseline_ms;
    if (ms <= 0 || longest <= 0) continue;
    page.line("<i class={} style=\"width:{:.3f}%\" title=\"{} {}\"></i>", category_class(change.name), 100 * ms / longest,
              escaped(change.name, 60), milliseconds(ms));
  }
  page.line("</div><span>{}</span></div>", milliseconds(whole));
}

void write_categories(const Comparison& row, Page& page) {
  if (row.categories.empty()) return;
  const double longest = std::max(row.baseline_ms, row.candidate_ms);
  page.line("<h4>Kinds of work, before and after</h4><div class=bars>");
  write_stack(row.baseline, row.baseline_ms, longest, row, false, page);
  write_stack(row.candidate, row.candidate_ms, longest, row, true, page);
  page.line("</div><div class=box><table data-sortable><thead><tr><th scope=col>category</th><th scope=col class=n>before</th>"
            "<th scope=col class=n>share</th><th scope=col class=n>after</th><th scope=col class=n>share</th></tr></thead><tbody>");
  for (const analysis::CategoryChange& change : row.categories) {
    page.line("<tr><td class=cat><i class=\"dot {}\" aria-hidden=true></i>{}</td>", category_class(change.name), escaped(change.name, 60));
    page.number(change.baseline_ms, milliseconds(change.baseline_ms));
    page.number(change.baseline_share, percent(change.baseline_share));
    page.number(change.candidate_ms, milliseconds(change.candidate_ms));
    page.number(change.candidate_share, percent(change.candidate_share));
    page.line("</tr>");
  }
  page.line("</tbody></table></div>");
}

std::string count_text(std::size_t before, std::size_t after) {
  return before == 1 && after == 1 ? "" : fmt::format(" <small>{} : {}</small>", before, after);
}

void write_match(const analysis::OperatorMatch& match, Page& page) {
  page.line("<tr data-category=\"{}\"><td class=opname><bdi>{}</bdi>{}</td><td>{}</td><td>{}</td>", escaped(match.category, 60), escaped(match.label),
            count_text(match.baseline.size(), match.candidate.size()), escaped(match.category, 60), analysis::match_kind_name(match.kind));
  const bool before = !match.baseline.empty();
  const bool after = !match.candidate.empty();
  page.number(before ? std::optional(match.baseline_ms) : std::nullopt, before ? milliseconds(match.baseline_ms) : "-");
  page.number(after ? std::optional(match.candidate_ms) : std::nullopt, after ? milliseconds(match.candidate_ms) : "-");
  page.number(match.delta_ms, fmt::format("<span class={}>{}</span>", direction(match.delta_ms), signed_ms(match.delta_ms)));
  page.line("<td>{}</td>", match.kernel_changed ? "changed" : "");
  if (match.verdict) {
    const std::string_view claim = measure::claim_name(match.verdict->claim);
    page.number(match.verdict->ratio, fmt::format("<b class=\"{0}\">{0}</b> <small>[{1}, {2}]</small>", claim,
                                                  ratio_text(match.verdict->interval.low), ratio_text(match.verdict->interval.high)));
  } else {
    page.number(std::nullopt, "-");
  }
  if (!match.snr_db) page.number(std::nullopt, "-");
  else page.number(match.snr_db, snr_text(*match.snr_db));
  page.line("</tr>");
}

void write_filter(const std::string& table, const std::vector<std::string>& categories, Page& page) {
  page.line("<div class=\"tools needjs\" data-filters=\"{0}\"><label for=\"{0}-words\">Filter</label><input type=search id=\"{0}-words\" "
            "placeholder=\"name, kernel, shape\"><select aria-label=Category><option value=\"\">all categories</option>", table);
  for (const std::string& name : categories) page.line("<option>{}</option>", escaped(name, 60));
  page.line("</select><output class=dim></output></div>");
}

void write_operators(const Comparison& row, std::size_t index, Page& page) {
  if (row.operators.empty()) return;
  const std::string id = fmt::format("matches-{}", index);
  std::vector<std::string> categories;
  for (const auto& match : row.operators) {
    if (std::find(categories.begin(), categories.end(), match.category) == categories.end()) categories.push_back(match.category);
  }
  page.line("<h4>Operator by operator</h4><p class=dim>{} of both runs' operator time was matched.</p>", percent(row.matched_share));
  write_filter(id, categories, page);
  page.line("<div class=\"box tall\"><table id=\"{}\" class=wide data-sortable><thead><tr><th scope=col>operator</th><th scope=col>category</th>"
            "<th scope=col>matched by</th><th scope=col class=n>before</th><th scope=col class=n>after</th><th scope=col class=n>difference</th>"
            "<th scope=col>kernel</th><th scope=col class=n>verdict</th><th scope=col class=n>outputs</th></tr></thead><tbody>", id);
  for (const analysis::OperatorMatch& match : row.operators) write_match(match, page);
  page.line("</tbody></table></div>");
}

void write_kernels(const Comparison& row, Page& page) {
  const analysis::KernelComparison& kernels = row.kernels;
  if (kernels.compared == 0 || (!row.differs_in_kernels && kernels.changed == 0)) return;
  page.line("<h4>Kernels that changed</h4><p class=dim>{} of {} operators ran another kernel{}.</p>", kernels.changed, kernels.compared,
            kernels.only_in_one > 0 ? fmt::format("; {} exist on one side only", kernels.only_in_one) : "");
  if (kernels.changes.empty()) return;
  page.line("<div class=box><table class=wide data-sortable><thead><tr><th scope=col class=n>operators</th><th scope=col>kernel before</th>"
            "<th scope=col class=n>time</th><th scope=col>kernel after</th><th scope=col class=n>time</th></tr></thead><tbody>");
  for (const analysis::KernelChange& change : kernels.changes) {
    page.line("<tr>");
    page.number(static_cast<double>(change.operators.size()), fmt::format("{}", change.operators.size()));
    page.line("<td><code>{}</code> <small>{}</small></td>", escaped(change.baseline_kernel), escaped(change.baseline_isa, 40));
    page.number(change.baseline_ms, milliseconds(change.baseline_ms));
    page.line("<td><code>{}</code> <small>{}</small></td>", escaped(change.candidate_kernel), escaped(change.candidate_isa, 40));
    page.number(change.candidate_ms, milliseconds(change.candidate_ms));
    page.line("</tr>");
  }
  page.line("</tbody></table></div>");
}

void write_outputs(const Comparison& row, Page& page) {
  if (row.outputs.empty()) return;
  page.line("<h4>Outputs on the same input</h4><div class=box><table><thead><tr><th scope=col>output</th><th scope=col class=n>values</th>"
            "<th scope=col class=n>largest difference</th><th scope=col class=n>of the peak</th><th scope=col class=n>signal to noise</th>"
            "<th scope=col class=n>cosine</th><th scope=col>same top 1</th></tr></thead><tbody>");
  for (const analysis::OutputDifference& out : row.outputs) {
    page.line("<tr><td>{}</td><td class=n>{}</td><td class=n>{:.3g}</td><td class=n>{:.3g}</td><td class=n>{}</td><td class=n>{:.6f}</td><td>{}</td></tr>",
              escaped(out.output, 60), out.values, out.max_abs, out.relative_to_peak,
              snr_text(out.snr_db), out.cosine,
              out.same_top1 ? (*out.same_top1 ? "yes" : "no") : "-");
  }
  page.line("</tbody></table></div>");
}

void write_layers(const Comparison& row, Page& page) {
  if (row.layers.empty()) return;
  page.line("<h4>Values inside, on the same input</h4><div class=\"box tall\"><table data-sortable><thead><tr><th scope=col>value</th><th scope=col>computed by</th>"
            "<th scope=col class=n>signal to noise</th><th scope=col class=n>cosine</th><th scope=col class=n>largest difference</th></tr></thead><tbody>");
  for (const analysis::LayerDifference& layer : row.layers) {
    page.line("<tr><td>{}</td><td>{}</td>", escaped(layer.difference.output, 60), escaped(layer.candidate_op, 60));
    page.number(layer.difference.snr_db, snr_text(layer.difference.snr_db));
    page.number(layer.difference.cosine, fmt::format("{:.6f}", layer.difference.cosine));
    page.number(layer.difference.max_abs, fmt::format("{:.3g}", layer.difference.max_abs));
    page.line("</tr>");
  }
  page.line("</tbody></table></div>");
}

std::string figure_text(const std::optional<double>& value, const std::string& unit) {
  if (!value) return "-";
  return unit == "bytes" ? bytes_text(*value) : unit == "ms" ? milliseconds(*value) : fmt::format("{:g} {}", *value, escaped(unit, 20));
}

void write_figures(const Comparison& row, Page& page) {
  if (!row.figures.empty()) {
    page.line("<h4>Besides time</h4><div class=box><table><thead><tr><th scope=col>figure</th><th scope=col class=n>before</th>"
              "<th scope=col class=n>after</th></tr></thead><tbody>");
    for (const analysis::FigureChange& figure : row.figures) {
      page.line("<tr><td>{}</td><td class=n>{}</td><td class=n>{}</td></tr>", escaped(figure.name, 80), figure_text(figure.baseline, figure.unit),
                figure_text(figure.candidate, figure.unit));
    }
    page.line("</tbody></table></div>");
  }
  for (const std::string& note : row.notes) page.line("<p class=dim>{}</p>", escaped(note, 400));
}

bool has_detail(const Comparison& row) {
  return !row.waterfall.empty() || !row.categories.empty() || !row.operators.empty() || row.kernels.compared > 0 || !row.outputs.empty() ||
         !row.figures.empty() || !row.notes.empty();
}

}  // namespace

void write_comparisons(const analysis::Report& report, Page& page) {
  const auto detailed = std::count_if(report.comparisons.begin(), report.comparisons.end(), has_detail);
  if (detailed == 0) return;
  page.line("<section id=differences class=long><h2>What changed</h2>");
  std::size_t index = 0;
  for (const Comparison& row : report.comparisons) {
    ++index;
    if (!has_detail(row)) continue;
    const std::string names = fmt::format("{} against {}", row.candidate, row.baseline);
    page.line("<details class=run{}><summary>{}<span>{}</span></summary>", index == 1 ? " open" : "", escaped(row.label.empty() ? names : row.label, 120),
              row.label.empty() || row.label == names ? "" : escaped(names, 120));
    write_waterfall(row, page);
    write_categories(row, page);
    write_operators(row, index, page);
    write_kernels(row, page);
    write_outputs(row, page);
  write_layers(row, page);
    write_figures(row, page);
    page.line("</details>");
  }
  page.line("</section>");
}

}  // namespace etalon::report
