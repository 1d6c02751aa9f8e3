// One line per run, for chat messages and commit texts: "fast, 1 thread: 3.21 ms, most in Convolution (81 %)".
#include "add_report_format/one_line.h"

#include <fmt/core.h>

namespace etalon::report {

std::string write_one_line(const analysis::Report& report) {
  std::string out;
  for (const analysis::Profile& profile : report.profiles) {
    out += fmt::format("{}: {:.2f} ms", profile.name, profile.accounting.end_to_end_ms);
    if (!profile.categories.empty()) {
      out += fmt::format(", most in {} ({:.0f} %)", profile.categories[0].name, profile.categories[0].share * 100);
    }
    out += "\n";
  }
  return out;
}

}  // namespace etalon::report
