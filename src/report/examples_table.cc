// The published form: one line for the first iteration and one for the average, as Markdown.
#include "analysis/examples_table.h"

#include "report/markdown_text.h"
#include "report/writers.h"

namespace etalon::report {
namespace {

using analysis::ExampleCell;
using analysis::ExampleRow;

std::string average_text(const std::optional<ExampleCell>& cell, const ExampleCell& usual) {
  if (!cell || !cell->average_ms) return "-";
  std::string text = milliseconds(*cell->average_ms);
  if (cell->runs != usual.runs || cell->warmup != usual.warmup) text += fmt::format(" (of {} after {})", cell->runs, cell->warmup);
  return text;
}

// What the heading says; cells that were measured otherwise say so themselves.
ExampleCell usual_of(const std::vector<ExampleRow>& rows) {
  for (const ExampleRow& row : rows) {
    for (const auto& cell : row.cells) {
      if (cell && cell->average_ms) return *cell;
    }
  }
  return {};
}

}  // namespace

std::string write_examples_table(const std::vector<ExampleRow>& rows) {
  Markdown to;
  const ExampleCell usual = usual_of(rows);
  std::string head = "| model | iteration |";
  std::string rule = "|---|---|";
  for (std::size_t v = 0; v < analysis::kExampleVariants; ++v) {
    head += fmt::format(" {} |", analysis::example_variant_name(static_cast<analysis::ExampleVariant>(v)));
    rule += "---:|";
  }
  to.line("{}", head);
  to.line("{}", rule);
  for (const ExampleRow& row : rows) {
    std::string first = fmt::format("| {} | first iteration |", markdown_cell(row.model));
    std::string average = fmt::format("| | average of {} after {} |", usual.runs, usual.warmup);
    for (const auto& cell : row.cells) {
      first += fmt::format(" {} |", cell ? optional_milliseconds(cell->first_ms) : "-");
      average += fmt::format(" {} |", average_text(cell, usual));
    }
    to.line("{}", first);
    to.line("{}", average);
  }
  return to.take();
}

}  // namespace etalon::report
