// Analyses a run folder and writes what belongs in it: CSV files, analysis_summary.json and report.md.
#pragma once

#include <string>

#include "analysis/run_report.h"
#include "base/result.h"
#include "cli/console.h"

namespace etalon::cli {

struct AnalysisFlags {
  std::string etrecord;
};

Result<analysis::Report> analyze_and_write(const std::string& run_dir, const AnalysisFlags& flags);

// The terminal report, as wide and as colourful as the console is.
std::string terminal_report(const analysis::Report& report, const Console& console);

// Whether `path` is a folder.
bool is_folder(const std::string& path);

}  // namespace etalon::cli
