// A model beside a reference model, for the terminal.
#include <fmt/core.h>

#include <iterator>

#include "report/text.h"
#include "report/writers.h"

namespace etalon::report {
namespace {

using analysis::ReferenceComparison;
using analysis::ReferenceRow;
using analysis::WorkRate;

std::string rate_cells(const std::optional<WorkRate>& rate) {
  if (!rate) return fmt::format("{:>10} {:>7} {:>8} {:>9}", "-", "-", "-", "-");
  return fmt::format("{:>10} {:>7} {:>8} {:>9}", milliseconds(rate->ms), percent(rate->share),
                     rate->gflops_per_second ? fmt::format("{:.1f}", *rate->gflops_per_second) : "-",
                     rate->ms_per_gflop ? fmt::format("{:.2f}", *rate->ms_per_gflop) : "-");
}

}  // namespace

std::string write_reference_terminal(const ReferenceComparison& comparison, const Style& style) {
  std::string out;
  const auto line = [&out](std::string text) {
    text.erase(text.find_last_not_of(' ') + 1);
    out += text + '\n';
  };
  const auto bold = [&](const std::string& text) {
    return style.colour ? "\033[1m" + text + "\033[0m" : text;
  };
  line(bold(fmt::format("{} beside {}", shown(comparison.model, 50), shown(comparison.reference, 50))));
  line(fmt::format("  {:<18} {:^37} | {:^37} |", "", shown(comparison.model, 37),
                   shown(comparison.reference, 37)));
  const std::string head = fmt::format("{:>10} {:>7} {:>8} {:>9}", "time", "share", "GFLOP/s", "ms/GFLOP");
  line(fmt::format("  {:<18} {} | {} | {}", "", head, head, "at the reference's rate"));
  for (const ReferenceRow& row : comparison.rows) {
    line(fmt::format("  {:<18} {} | {} | {}", shown(row.category, 18), rate_cells(row.model),
                     rate_cells(row.reference),
                     row.ms_at_reference_rate ? milliseconds(*row.ms_at_reference_rate) : ""));
  }
  line(fmt::format("  {:<18} {} | {} |", "end to end", rate_cells(comparison.model_total),
                   rate_cells(comparison.reference_total)));
  return out;
}

}  // namespace etalon::report
