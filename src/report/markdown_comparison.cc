#include <algorithm>
#include <cmath>

#include "report/markdown_text.h"
#include "report/writers.h"

namespace etalon::report {
namespace {

using analysis::Comparison;

constexpr std::size_t kOperators = 30;

std::string signed_ms(double ms) { return (ms > 0 ? "+" : "") + milliseconds(ms); }

std::string name_of(const Comparison& row) {
  return row.label.empty() ? fmt::format("{} against {}", row.candidate, row.baseline) : row.label;
}

void write_verdict(const Comparison& row, Markdown& to) {
  if (row.verdict) {
    const measure::Verdict& verdict = *row.verdict;
    to.line("**{}** at {:.0f} % confidence, from {} launches with {} blocks{}.", verdict_text(verdict), 100 * verdict.confidence, verdict.launches,
            verdict.blocks, verdict.interleaved ? "" : " measured at different times");
    if (verdict.launches_needed > 0) to.line("About {} launches would settle it.", verdict.launches_needed);
  } else {
    to.line("Ratio of medians {:.3f}, without an interval.", row.ratio);
  }
  if (row.control && row.control->ran) {
    to.line("A/A control: {}; identical code may differ by {:.2f} %, the smallest difference that shows is {:.2f} %.",
            row.control->alarmed ? "identical code looked different" : "silent", 100 * row.control->noise_floor, 100 * row.control->smallest_effect);
  }
  to.blank();
}

void write_waterfall(const Comparison& row, Markdown& to) {
  if (row.waterfall.empty()) return;
  to.line("| step | kind | operators | difference | 95 % interval |");
  to.line("|---|---|---:|---:|---:|");
  to.line("| {} | | | {} | |", markdown_cell(row.baseline), milliseconds(row.baseline_ms));
  for (const analysis::WaterfallStep& step : row.waterfall) {
    const std::string interval = step.interval_ms ? fmt::format("{} to {}", signed_ms(step.interval_ms->low), signed_ms(step.interval_ms->high)) : "-";
    to.line("| {} | {} | {} | {} | {} |", markdown_cell(step.name), analysis::step_kind_name(step.kind), step.operators > 0 ? fmt::format("{}", step.operators) : "",
            signed_ms(step.delta_ms), interval);
  }
  to.line("| {} | | | {} | |", markdown_cell(row.candidate), milliseconds(row.candidate_ms));
  to.blank();
}

void write_categories(const Comparison& row, Markdown& to) {
  if (row.categories.empty()) return;
  to.line("| category | before | share | after | share |");
  to.line("|---|---:|---:|---:|---:|");
  for (const analysis::CategoryChange& change : row.categories) {
    to.line("| {} | {} | {} | {} | {} |", markdown_cell(change.name), milliseconds(change.baseline_ms), percent(change.baseline_share),
            milliseconds(change.candidate_ms), percent(change.candidate_share));
  }
  to.blank();
}

void write_operators(const Comparison& row, Markdown& to) {
  if (row.operators.empty()) return;
  to.line("{} of the operator time was matched.", percent(row.matched_share));
  to.blank();
  to.line("| operator | category | matched by | before | after | difference | kernel | verdict | outputs |");
  to.line("|---|---|---|---:|---:|---:|---|---|---:|");
  const std::size_t count = std::min(row.operators.size(), kOperators);
  for (std::size_t i = 0; i < count; ++i) {
    const analysis::OperatorMatch& match = row.operators[i];
    std::string outputs = "-";
    if (match.snr_db) outputs = snr_text(*match.snr_db);
    to.line("| {} | {} | {} | {} | {} | {} | {} | {} | {} |", markdown_cell(match.label), markdown_cell(match.category), analysis::match_kind_name(match.kind),
            match.baseline.empty() ? "-" : milliseconds(match.baseline_ms), match.candidate.empty() ? "-" : milliseconds(match.candidate_ms),
            signed_ms(match.delta_ms), match.kernel_changed ? "changed" : "", match.verdict ? verdict_text(*match.verdict) : "-", outputs);
  }
  if (count < row.operators.size()) {
    to.blank();
    to.line("{} more operators are in analysis_summary.json.", row.operators.size() - count);
  }
  to.blank();
}

void write_kernels(const Comparison& row, Markdown& to) {
  const analysis::KernelComparison& kernels = row.kernels;
  if (kernels.compared == 0 || (!row.differs_in_kernels && kernels.changed == 0)) return;
  to.line("{} of {} operators ran another kernel; {} exist on one side only.", kernels.changed, kernels.compared, kernels.only_in_one);
  to.blank();
  if (kernels.changes.empty()) return;
  to.line("| operators | baseline kernel | isa | time | candidate kernel | isa | time |");
  to.line("|---:|---|---|---:|---|---|---:|");
  for (const analysis::KernelChange& change : kernels.changes) {
    to.line("| {} | {} | {} | {} | {} | {} | {} |", change.operators.size(), markdown_cell(change.baseline_kernel), markdown_cell(change.baseline_isa),
            milliseconds(change.baseline_ms), markdown_cell(change.candidate_kernel), markdown_cell(change.candidate_isa), milliseconds(change.candidate_ms));
  }
  to.blank();
}

void write_outputs(const Comparison& row, Markdown& to) {
  if (row.outputs.empty()) return;
  to.line("| output | values | largest difference | of the peak | signal to noise | cosine | same top 1 |");
  to.line("|---|---:|---:|---:|---:|---:|---|");
  for (const analysis::OutputDifference& out : row.outputs) {
    to.line("| {} | {} | {:.3g} | {:.3g} | {} | {:.6f} | {} |", markdown_cell(out.output), out.values, out.max_abs, out.relative_to_peak,
            snr_text(out.snr_db), out.cosine, out.same_top1 ? (*out.same_top1 ? "yes" : "no") : "-");
  }
  to.blank();
}

void write_layers(const Comparison& row, Markdown& to) {
  if (row.layers.empty()) return;
  to.line("| value inside | computed by | signal to noise | cosine | largest difference |");
  to.line("|---|---|---:|---:|---:|");
  for (const analysis::LayerDifference& layer : row.layers) {
    to.line("| {} | {} | {} | {:.6f} | {:.3g} |", markdown_cell(layer.difference.output), markdown_cell(layer.candidate_op),
            snr_text(layer.difference.snr_db), layer.difference.cosine, layer.difference.max_abs);
  }
  to.blank();
}

std::string figure_text(const std::optional<double>& value, const std::string& unit) {
  if (!value) return "-";
  return unit == "bytes" ? bytes_text(*value) : unit == "ms" ? milliseconds(*value) : fmt::format("{:g} {}", *value, markdown_cell(unit));
}

void write_figures(const Comparison& row, Markdown& to) {
  if (!row.figures.empty()) {
    to.line("| figure | before | after |");
    to.line("|---|---:|---:|");
    for (const analysis::FigureChange& figure : row.figures) {
      to.line("| {} | {} | {} |", markdown_cell(figure.name), figure_text(figure.baseline, figure.unit), figure_text(figure.candidate, figure.unit));
    }
    to.blank();
  }
  for (const std::string& note : row.notes) to.line("* note: {}", markdown_cell(note));
  if (!row.notes.empty()) to.blank();
}

void write_detail(const Comparison& row, Markdown& to) {
  write_verdict(row, to);
  write_waterfall(row, to);
  write_categories(row, to);
  write_operators(row, to);
  write_kernels(row, to);
  write_outputs(row, to);
  write_layers(row, to);
  write_figures(row, to);
}

}  // namespace

void write_comparisons(const analysis::Report& report, Markdown& to) {
  if (report.comparisons.empty()) return;
  to.line("## Comparisons");
  to.blank();
  to.line("| comparison | baseline | candidate | verdict |");
  to.line("|---|---:|---:|---|");
  for (const Comparison& row : report.comparisons) {
    to.line("| {} | {} | {} | {} |", markdown_cell(name_of(row)), milliseconds(row.baseline_ms), milliseconds(row.candidate_ms),
            row.verdict ? verdict_text(*row.verdict) : fmt::format("ratio of medians {:.3f}", row.ratio));
  }
  to.blank();
  for (const Comparison& row : report.comparisons) {
    to.line("### {}", markdown_cell(name_of(row)));
    to.blank();
    write_detail(row, to);
  }
}

void write_factor_table(const analysis::FactorTable& table, Markdown& to) {
  std::string head = "|", rule = "|";
  for (const std::string& factor : table.factors) {
    head += " " + markdown_cell(factor) + " |";
    rule += "---|";
  }
  to.line("## All variants");
  to.blank();
  to.line("{} median | p95 | first | against the first |", head);
  to.line("{}---:|---:|---:|---|", rule);
  for (const analysis::TableCell& cell : table.cells) {
    std::string line = "|";
    for (const std::string& level : cell.levels) line += " " + markdown_cell(level) + " |";
    to.line("{} {} | {} | {} | {} |", line, milliseconds(cell.median_ms), optional_milliseconds(cell.p95_ms), optional_milliseconds(cell.first_ms),
            cell.verdict ? verdict_text(*cell.verdict) : "-");
  }
  to.blank();
}

std::string write_comparison_markdown(const Comparison& comparison) {
  Markdown to;
  to.line("# {}", markdown_cell(name_of(comparison)));
  to.blank();
  to.line("{} ({}) against {} ({})", markdown_cell(comparison.candidate), milliseconds(comparison.candidate_ms), markdown_cell(comparison.baseline),
          milliseconds(comparison.baseline_ms));
  to.blank();
  write_detail(comparison, to);
  return to.take();
}

}  // namespace etalon::report
