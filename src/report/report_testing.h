// The three reports that every format is tested on: one with everything, one with nothing, one with hostile names.
#pragma once

#include <string>

#include "analysis/run_report.h"

namespace etalon::report {

// Every field of the model is set somewhere, and every rule has a finding.
analysis::Report rich_report();
inline analysis::Report empty_report() { return {}; }
// The rich report with names that try to break out of each format.
analysis::Report hostile_report();

// Contains markup, quotes, separators, line breaks, control characters and bytes that are not UTF-8.
std::string hostile_name();

}  // namespace etalon::report
