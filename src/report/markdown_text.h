// What the Markdown writers share.
#pragma once

#include <fmt/core.h>

#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "analysis/run_report.h"
#include "report/text.h"

namespace etalon::report {

// Names come from files: nothing in them may end a cell or start markup.
std::string markdown_cell(std::string_view text);
std::string optional_milliseconds(const std::optional<double>& ms);  // "-" where there is none

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

// Verdicts of all comparisons, then each in detail.
void write_comparisons(const analysis::Report& report, Markdown& to);
void write_factor_table(const analysis::FactorTable& table, Markdown& to);
void write_advice(const analysis::Report& report, Markdown& to);

}  // namespace etalon::report
