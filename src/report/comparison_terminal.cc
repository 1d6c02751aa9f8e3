// A comparison and a table of runs for the terminal.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "report/text.h"
#include "report/writers.h"

namespace etalon::report {
namespace {

using analysis::Comparison;
using analysis::FactorTable;
using analysis::OperatorMatch;
using analysis::StepKind;
using analysis::WaterfallStep;

constexpr const char* kGreen = "32";
constexpr const char* kRed = "31";
constexpr const char* kDim = "2";

class Page {
 public:
  explicit Page(const Style& style) : style_(style) {}

  template <class... Args>
  void line(fmt::format_string<Args...> text, Args&&... args) {
    std::string made = fmt::format(text, std::forward<Args>(args)...);
    made.erase(made.find_last_not_of(' ') + 1);
    out_ += made + '\n';
  }
  void heading(std::string_view text) { out_ += '\n' + styled("1", text) + '\n'; }
  std::string styled(const char* code, std::string_view text) const {
    return style_.colour ? fmt::format("\033[{}m{}\033[0m", code, text) : std::string(text);
  }
  // Less time is green.
  std::string change(double delta_ms, std::size_t width) const {
    const std::string text = fmt::format("{:>{}}", (delta_ms > 0 ? "+" : "") + milliseconds(delta_ms), width);
    return styled(delta_ms > 0 ? kRed : kGreen, text);
  }
  std::string cells(std::size_t count) const {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) text += style_.colour ? "\u2588" : "#";
    return text;
  }
  const Style& style() const { return style_; }
  std::string take() { return std::move(out_); }

 private:
  const Style& style_;
  std::string out_;
};

const char* colour_of(const Comparison& comparison) {
  if (!comparison.verdict) return "1";
  switch (comparison.verdict->claim) {
    case measure::Claim::kFaster:
      return "1;32";
    case measure::Claim::kSlower:
      return "1;31";
    default:
      return "1";
  }
}

void write_head(const Comparison& comparison, Page& to) {
  to.line("{}", to.styled(colour_of(comparison), verdict_sentence(comparison)));
  to.line("  median {} -> {}", milliseconds(comparison.baseline_ms), milliseconds(comparison.candidate_ms));
  if (comparison.control && comparison.control->ran) {
    to.line("  {}",
            to.styled(kDim, fmt::format("control: the baseline against itself differed by {} at most{}",
                                        percent(comparison.control->noise_floor),
                                        comparison.control->alarmed ? ", and that looked real" : "")));
  }
}

void write_categories(const Comparison& comparison, Page& to) {
  if (comparison.categories.empty()) return;
  to.heading("Categories");
  to.line("  {:<18} {:>10} {:>8} {:>10} {:>8} {:>11}", "", "before", "share", "after", "share", "change");
  for (const analysis::CategoryChange& row : comparison.categories) {
    to.line("  {:<18} {:>10} {:>8} {:>10} {:>8} {}", shown(row.name, 18), milliseconds(row.baseline_ms),
            percent(row.baseline_share), milliseconds(row.candidate_ms), percent(row.candidate_share),
            to.change(row.candidate_ms - row.baseline_ms, 11));
  }
}

// A bar from one time to the other, on an axis that holds the whole way.
class Axis {
 public:
  Axis(double longest_ms, std::size_t cells) : longest_ms_(longest_ms), cells_(cells) {}
  std::size_t at(double ms) const {
    if (!(longest_ms_ > 0)) return 0;
    const double share = std::clamp(ms / longest_ms_, 0.0, 1.0);
    return static_cast<std::size_t>(std::lround(share * static_cast<double>(cells_)));
  }

 private:
  double longest_ms_;
  std::size_t cells_;
};

std::string interval_text(const WaterfallStep& step) {
  if (!step.interval_ms) return "";
  return fmt::format("{} to {}", milliseconds(step.interval_ms->low), milliseconds(step.interval_ms->high));
}

void write_waterfall(const Comparison& comparison, Page& to) {
  if (comparison.waterfall.empty()) return;
  constexpr std::size_t kName = 46;
  constexpr std::size_t kBar = 24;
  to.heading("From one time to the other");
  double longest = comparison.baseline_ms;
  double reached = comparison.baseline_ms;
  for (const WaterfallStep& step : comparison.waterfall)
    longest = std::max(longest, reached += step.delta_ms);
  const Axis axis(longest, kBar);
  to.line("  {:<{}} {:>11}  {}", shown(comparison.baseline, kName), kName,
          milliseconds(comparison.baseline_ms), to.cells(axis.at(comparison.baseline_ms)));
  reached = comparison.baseline_ms;
  for (const WaterfallStep& step : comparison.waterfall) {
    const std::size_t first = axis.at(std::min(reached, reached + step.delta_ms));
    const std::size_t last = axis.at(std::max(reached, reached + step.delta_ms));
    const std::size_t length = std::max<std::size_t>(last - first, step.delta_ms == 0 ? 0 : 1);
    const std::size_t from = std::min(first, kBar - length);
    const std::string bar = to.styled(step.delta_ms > 0 ? kRed : kGreen, to.cells(length));
    const std::string rest(kBar + 2 - from - length, ' ');
    to.line("  {:<{}} {}  {}{}{}{}", shown(step.name, kName), kName, to.change(step.delta_ms, 11),
            std::string(from, ' '), bar, rest, to.styled(kDim, interval_text(step)));
    reached += step.delta_ms;
  }
  to.line("  {:<{}} {:>11}  {}", shown(comparison.candidate, kName), kName,
          milliseconds(comparison.candidate_ms), to.cells(axis.at(comparison.candidate_ms)));
}

std::string judged(const OperatorMatch& match) {
  if (!match.verdict) return "";
  const measure::Verdict& verdict = *match.verdict;
  switch (verdict.claim) {
    case measure::Claim::kFaster:
      return fmt::format("{:.2f}x faster", 1 / verdict.ratio);
    case measure::Claim::kSlower:
      return fmt::format("{:.2f}x slower", verdict.ratio);
    case measure::Claim::kEquivalent:
      return "same";
    case measure::Claim::kInconclusive:
      return "not settled";
  }
  return "";
}

void write_operators(const Comparison& comparison, Page& to) {
  if (comparison.operators.empty()) return;
  const std::size_t count = std::min(comparison.operators.size(), to.style().operators);
  to.heading(fmt::format("Operators by their part in the difference ({} of {})", count,
                         comparison.operators.size()));
  to.line("  {:<44} {:>10} {:>10} {:>11}  {:<9} {:<7} {}", "", "before", "after", "change", "matched",
          "kernel", "judged");
  for (std::size_t i = 0; i < count; ++i) {
    const OperatorMatch& match = comparison.operators[i];
    to.line("  {:<44} {:>10} {:>10} {}  {:<9} {:<7} {}", shown(match.label, 44),
            match.baseline.empty() ? "-" : milliseconds(match.baseline_ms),
            match.candidate.empty() ? "-" : milliseconds(match.candidate_ms), to.change(match.delta_ms, 11),
            analysis::match_kind_name(match.kind), match.kernel_changed ? "changed" : "", judged(match));
  }
  to.line("  {} of the operators' time was matched", percent(comparison.matched_share));
}

std::string kernel_text(const std::string& kernel, const std::string& isa) {
  return kernel.find(isa) == std::string::npos ? kernel + " [" + isa + "]" : kernel;
}

void write_kernels(const Comparison& comparison, Page& to) {
  const analysis::KernelComparison& kernels = comparison.kernels;
  if (kernels.compared == 0) return;
  to.heading(fmt::format("Kernels: {} of {} operators run another one", kernels.changed, kernels.compared));
  if (kernels.changed == 0 && comparison.differs_in_kernels) {
    to.line(
        "  {}",
        to.styled(kRed,
                  "other kernels were asked for and none changed: this comparison measures nothing else"));
  }
  constexpr std::size_t kMost = 8;
  for (std::size_t i = 0; i < std::min(kernels.changes.size(), kMost); ++i) {
    const analysis::KernelChange& change = kernels.changes[i];
    to.line("  {:>3} x {} -> {}  {} -> {}", change.operators.size(),
            kernel_text(change.baseline_kernel, change.baseline_isa),
            kernel_text(change.candidate_kernel, change.candidate_isa), milliseconds(change.baseline_ms),
            milliseconds(change.candidate_ms));
  }
  if (kernels.changes.size() > kMost) to.line("  and {} more pairs", kernels.changes.size() - kMost);
}

std::string decibels(double value) {
  return std::isfinite(value) ? fmt::format("{:.1f} dB", value) : value > 0 ? "exact" : "none";
}

void write_outputs(const Comparison& comparison, Page& to) {
  if (comparison.outputs.empty()) return;
  to.heading("Outputs on the same input");
  for (const analysis::OutputDifference& output : comparison.outputs) {
    to.line("  output {}: signal over error {}, cosine {:.6f}, largest difference {:.3g} ({} of the peak){}",
            shown(output.output, 20), decibels(output.snr_db), output.cosine, output.max_abs,
            percent(output.relative_to_peak),
            !output.same_top1   ? ""
            : *output.same_top1 ? ", same top-1"
                                : ", another top-1");
  }
}

// The values that agree least, in the order of execution: where the first error comes from is what one looks for.
void write_layers(const Comparison& comparison, Page& to) {
  if (comparison.layers.empty()) return;
  constexpr std::size_t kMost = 10;
  std::vector<std::size_t> worst(comparison.layers.size());
  std::iota(worst.begin(), worst.end(), std::size_t{0});
  const auto snr = [&](std::size_t i) { return comparison.layers[i].difference.snr_db; };
  std::stable_sort(worst.begin(), worst.end(), [&](std::size_t a, std::size_t b) { return snr(a) < snr(b); });
  worst.resize(std::min(kMost, worst.size()));
  std::sort(worst.begin(), worst.end());
  to.heading(fmt::format("Values inside on the same input, those of {} that agree least", comparison.layers.size()));
  for (const std::size_t i : worst) {
    const analysis::LayerDifference& layer = comparison.layers[i];
    to.line("  {:<32} {:<24} signal over error {:>10}, cosine {:.6f}, largest difference {:.3g}",
            shown(layer.difference.output, 32), shown(layer.candidate_op, 24), snr_text(layer.difference.snr_db),
            layer.difference.cosine, layer.difference.max_abs);
  }
}

std::string figure_text(const std::optional<double>& value, const std::string& unit) {
  if (!value) return "-";
  if (unit == "ms") return milliseconds(*value);
  if (unit != "bytes") return fmt::format("{:g} {}", *value, unit);
  if (*value >= 1e6) return fmt::format("{:.1f} MB", *value / 1e6);
  return fmt::format("{:.1f} kB", *value / 1e3);
}

void write_figures(const Comparison& comparison, Page& to) {
  if (comparison.figures.empty()) return;
  to.heading("Memory, size and start");
  for (const analysis::FigureChange& figure : comparison.figures) {
    to.line("  {:<24} {:>12} -> {:>12}", figure.name, figure_text(figure.baseline, figure.unit),
            figure_text(figure.candidate, figure.unit));
  }
}

std::vector<std::size_t> column_widths(const FactorTable& table) {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < table.factors.size(); ++i) {
    std::size_t width = table.factors[i].size();
    for (const analysis::TableCell& cell : table.cells)
      width = std::max(width, shown(cell.levels[i], 40).size());
    widths.push_back(width + 2);
  }
  return widths;
}

std::string against_first(const analysis::TableCell& cell) {
  if (!cell.verdict) return "";
  const measure::Verdict& verdict = *cell.verdict;
  if (verdict.claim == measure::Claim::kFaster) return fmt::format("{:.2f}x faster", 1 / verdict.ratio);
  if (verdict.claim == measure::Claim::kSlower) return fmt::format("{:.2f}x slower", verdict.ratio);
  return std::string(measure::claim_name(verdict.claim));
}

}  // namespace

std::string write_comparison_terminal(const Comparison& comparison, const Style& style) {
  Page page(style);
  write_head(comparison, page);
  write_categories(comparison, page);
  write_waterfall(comparison, page);
  write_operators(comparison, page);
  write_kernels(comparison, page);
  write_outputs(comparison, page);
  write_layers(comparison, page);
  write_figures(comparison, page);
  if (!comparison.notes.empty()) page.heading("Notes");
  for (const std::string& note : comparison.notes) page.line("  * {}", shown(note));
  return page.take();
}

std::string write_factor_table_terminal(const FactorTable& table, const Style& style) {
  if (table.cells.empty()) return {};
  Page page(style);
  const std::vector<std::size_t> widths = column_widths(table);
  std::string head = "  ";
  for (std::size_t i = 0; i < table.factors.size(); ++i)
    head += fmt::format("{:<{}}", table.factors[i], widths[i]);
  page.heading("Runs by what they differ in");
  page.line("{}{:>10} {:>10} {:>10}  {}", head, "median", "p95", "first", "against the first");
  for (const analysis::TableCell& cell : table.cells) {
    std::string row = "  ";
    for (std::size_t i = 0; i < table.factors.size(); ++i)
      row += fmt::format("{:<{}}", shown(cell.levels[i], 40), widths[i]);
    page.line("{}{:>10} {:>10} {:>10}  {}", row, milliseconds(cell.median_ms),
              cell.p95_ms ? milliseconds(*cell.p95_ms) : "-",
              cell.first_ms ? milliseconds(*cell.first_ms) : "-", against_first(cell));
  }
  for (const analysis::Interaction& found : table.interactions) {
    page.line("  {} {} with {} {}: {} measured, {} if each worked as it does alone", shown(found.first, 20),
              shown(found.first_level, 20), shown(found.second, 20), shown(found.second_level, 20),
              milliseconds(found.measured_ms), milliseconds(found.expected_ms));
  }
  return page.take();
}

}  // namespace etalon::report
