// Ratios with their intervals, drawn against the band in which a difference does not matter.
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "report/html/sections.h"
#include "report/text.h"

namespace etalon::report {
namespace {

using analysis::Comparison;
using measure::Verdict;

// Marks of a logarithmic axis of ratios that a reader knows.
constexpr std::array<double, 33> kMarks = {0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4,  0.5, 0.6,
                                           0.7,  0.8,  0.9,  0.95, 0.98, 0.99, 1, 1.01, 1.02, 1.05, 1.1,
                                           1.2,  1.4,  1.6,  2,    2.5,  3,    4, 5,    10,   20,   50};

struct Forest {
  std::string name;
  std::string detail;
  double ratio = 1;
  const Verdict* verdict = nullptr;
};

// Symmetric enough to hold 1 and every finite end of an interval.
Scale scale_of(const std::vector<Forest>& rows) {
  double low = 0.97;
  double high = 1.03;
  const auto take = [&](double value) {
    if (!std::isfinite(value) || value <= 0) return;
    low = std::min(low, std::max(value, 0.01));
    high = std::max(high, std::min(value, 100.0));
  };
  for (const Forest& row : rows) {
    take(row.ratio);
    if (row.verdict == nullptr) continue;
    take(row.verdict->interval.low);
    take(row.verdict->interval.high);
    take(1 + row.verdict->equivalence_margin);
    take(1 / (1 + row.verdict->equivalence_margin));
  }
  return {low, high, true, 4};
}

void write_axis(const Scale& scale, Page& page) {
  constexpr double kRoom = 9;  // per cent of the width that a number takes on a phone
  std::vector<double> places;
  page.line("<div class=row><div class=dim>less time &larr;&rarr; more time</div><svg class=\"track axis\" aria-hidden=true>");
  const auto put = [&](double mark) {
    const double place = scale.at(mark);
    if (mark < scale.low() * 0.999 || mark > scale.high() * 1.001) return;
    if (std::any_of(places.begin(), places.end(), [&](double other) { return std::fabs(other - place) < kRoom; })) return;
    places.push_back(place);
    page.line("<line class=grid x1=\"{0:.2f}%\" x2=\"{0:.2f}%\" y1=0 y2=5 /><text x=\"{0:.2f}%\" y=18 text-anchor=middle>{1:g}</text>",
              place, mark);
  };
  put(1);
  for (const double mark : kMarks) put(mark);
  page.line("</svg><div class=val><small>candidate / baseline</small></div></div>");
}

void write_row(const Forest& row, const Scale& scale, Page& page) {
  const std::string_view claim = row.verdict != nullptr ? measure::claim_name(row.verdict->claim) : "";
  std::string said = fmt::format("ratio {}", ratio_text(row.ratio));
  if (row.verdict != nullptr) {
    said = fmt::format("{}, {}, {:.0f} % interval {} to {}", claim, said, 100 * row.verdict->confidence,
                       ratio_text(row.verdict->interval.low), ratio_text(row.verdict->interval.high));
  }
  page.line("<div class=row><div><bdi>{}</bdi><small>{}</small></div>", row.name, row.detail);
  page.line("<svg class=track role=img aria-label=\"{}\">", said);
  if (row.verdict != nullptr && row.verdict->equivalence_margin > 0) {
    const double left = scale.at(1 / (1 + row.verdict->equivalence_margin));
    const double right = scale.at(1 + row.verdict->equivalence_margin);
    page.line("<rect class=band x=\"{:.2f}%\" width=\"{:.2f}%\" y=0 height=30 />", left, right - left);
  }
  page.line("<line class=one x1=\"{0:.2f}%\" x2=\"{0:.2f}%\" y1=0 y2=30 />", scale.at(1));
  if (row.verdict != nullptr) {
    const double left = scale.at(row.verdict->interval.low);
    const double right = scale.at(row.verdict->interval.high);
    page.line("<line class=\"ci {}\" x1=\"{:.2f}%\" x2=\"{:.2f}%\" y1=15 y2=15 />", claim, left, right);
    for (const double end : {left, right}) {
      page.line("<line class=\"ci {0}\" x1=\"{1:.2f}%\" x2=\"{1:.2f}%\" y1=10 y2=20 />", claim, end);
    }
  }
  page.line("<circle class=\"pt {}\" cx=\"{:.2f}%\" cy=15 r=5 /></svg>", claim, scale.at(row.ratio));
  if (row.verdict == nullptr) {
    page.line("<div class=val>{}<small>of medians; no interval</small></div></div>", ratio_text(row.ratio));
    return;
  }
  page.line("<div class=val><b class=\"{0}\">{0}</b> {1}<small>{2:.0f} %: {3} to {4}</small></div></div>", claim, ratio_text(row.ratio),
            100 * row.verdict->confidence, ratio_text(row.verdict->interval.low), ratio_text(row.verdict->interval.high));
}

std::string basis_of(const Verdict& verdict) {
  std::string text = fmt::format("{} launches, {} blocks", verdict.launches, verdict.blocks);
  if (verdict.voided > 0) text += fmt::format(", {} repeated", verdict.voided);
  if (verdict.disturbed > 0) text += fmt::format(", {} disturbed", verdict.disturbed);
  if (!verdict.interleaved) text += "; measured at different times";
  if (verdict.control_alarmed) text += "; the control was noisy";
  if (verdict.claim == measure::Claim::kInconclusive && verdict.launches_needed > 0) {
    text += fmt::format("; about {} launches would settle it", verdict.launches_needed);
  }
  return text;
}

void write_forest(const std::vector<Forest>& rows, Page& page) {
  const Scale scale = scale_of(rows);
  page.line("<div class=rows>");
  for (const Forest& row : rows) write_row(row, scale, page);
  write_axis(scale, page);
  page.line("</div>");
}

void write_controls(const analysis::Report& report, Page& page) {
  std::vector<std::string> shown_before;
  for (const Comparison& row : report.comparisons) {
    if (!row.control || !row.control->ran) continue;
    const std::string text = fmt::format(
        "A/A control: the same code against itself {}. Identical code may differ by {:.2f} %; the smallest difference that shows is {:.2f} %.",
        row.control->alarmed ? "looked different, so claims must clear that difference" : "showed no difference",
        100 * row.control->noise_floor, 100 * row.control->smallest_effect);
    if (std::find(shown_before.begin(), shown_before.end(), text) != shown_before.end()) continue;
    page.line("<p class=dim>{}</p>", text);
    shown_before.push_back(text);
  }
}

}  // namespace

void write_verdicts(const analysis::Report& report, Page& page) {
  if (report.comparisons.empty()) return;
  page.line("<section id=verdict><h2>Is it really faster?</h2>");
  std::vector<Forest> rows;
  for (const Comparison& row : report.comparisons) {
    const std::string names = escaped(fmt::format("{} against {}", row.candidate, row.baseline), 120);
    std::string detail = fmt::format("{} to {}", milliseconds(row.baseline_ms), milliseconds(row.candidate_ms));
    if (row.verdict) detail += "; " + basis_of(*row.verdict);
    const bool labelled = !row.label.empty() && row.label != fmt::format("{} against {}", row.candidate, row.baseline);
    if (labelled) detail = names + "; " + detail;
    rows.push_back({labelled ? escaped(row.label, 120) : names, detail, row.ratio, row.verdict ? &*row.verdict : nullptr});
  }
  write_forest(rows, page);
  write_controls(report, page);
  page.line("<p class=dim>Left of 1 the candidate takes less time. The grey band holds differences that do not matter. "
            "A claim needs its whole interval on one side.</p></section>");
}

void write_factor_table(const analysis::Report& report, Page& page) {
  if (!report.table || report.table->cells.empty()) return;
  const analysis::FactorTable& table = *report.table;
  page.line("<section id=table><h2>All variants</h2><div class=box><table data-sortable><thead><tr>");
  for (const std::string& factor : table.factors) page.line("<th scope=col>{}</th>", escaped(factor, 40));
  page.line("<th scope=col class=n>median</th><th scope=col class=n>p95</th><th scope=col class=n>first</th>"
            "<th scope=col class=n>against the first row</th></tr></thead><tbody>");
  for (const analysis::TableCell& cell : table.cells) {
    page.line("<tr>");
    for (const std::string& level : cell.levels) page.line("<td>{}</td>", escaped(level, 60));
    page.number(cell.median_ms, milliseconds(cell.median_ms));
    page.number(cell.p95_ms, optional_ms(cell.p95_ms));
    page.number(cell.first_ms, optional_ms(cell.first_ms));
    if (cell.verdict) {
      const std::string_view claim = measure::claim_name(cell.verdict->claim);
      page.number(cell.verdict->ratio, fmt::format("<b class=\"{0}\">{0}</b> {1} <small>[{2}, {3}]</small>", claim,
                                                   ratio_text(cell.verdict->ratio), ratio_text(cell.verdict->interval.low),
                                                   ratio_text(cell.verdict->interval.high)));
    } else {
      page.number(std::nullopt, "-");
    }
    page.line("</tr>");
  }
  page.line("</tbody></table></div></section>");
}

}  // namespace etalon::report
