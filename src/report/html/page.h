// What the sections of the HTML report share: escaping, cells, and the scales of charts.
//
// Charts are SVG and boxes placed by percentages, without a view box, so that they follow the width of the window
// while their letters keep their size.
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

// Names come from files: nothing in them may become markup, and what is not UTF-8 becomes U+FFFD. Cut after `width`
// characters; the embedded JSON has the whole of it.
std::string escaped(std::string_view text, std::size_t width = 160);
// "-" where there is none.
std::string optional_ms(const std::optional<double>& ms);
std::string ratio_text(double ratio);  // "0.623"; "unbounded" for infinity
// For an attribute: the value as it is, empty where it is unknown or not finite.
std::string sort_value(const std::optional<double>& value);
// An identifier from any name: letters, digits and dashes.
std::string anchor(std::string_view text);

class Page {
 public:
  template <class... Args>
  void line(fmt::format_string<Args...> text, Args&&... args) {
    fmt::format_to(std::back_inserter(out_), text, std::forward<Args>(args)...);
    out_ += '\n';
  }
  void text(std::string_view text) { out_ += text; }
  // <td class=n>, sorted by its value.
  void number(const std::optional<double>& value, std::string_view shown);
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

// From a value to a place, 0..100, with room at both ends.
class Scale {
 public:
  Scale(double low, double high, bool logarithmic = false, double room = 3);
  double at(double value) const;  // clamped to 0..100
  double low() const { return low_; }
  double high() const { return high_; }

 private:
  double low_, high_, from_, to_, room_;
  bool logarithmic_;
};

// The colour of a category: a class of report.css, the same all over the page.
std::string category_class(std::string_view category);

}  // namespace etalon::report
