// Comparing runs that are on disk: nothing is measured.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/run_report.h"
#include "base/result.h"

namespace etalon::cli {

struct RecordedRequest {
  std::vector<std::string> sides;  // as open_recorded() takes them; one alone is compared within itself
  std::uint32_t threads = 0;       // of runs whose name does not say; 0: any
  double margin = 0.01;
};

// Two folders are compared run by run, by name; otherwise every run with the first. The report holds the
// comparisons, the profiles, and of more than two runs the table. Errors: those of open_recorded(),
// kInvalidInput (one run alone, or folders without a run of one name).
Result<analysis::Report> compare_recorded(const RecordedRequest& request);

}  // namespace etalon::cli
