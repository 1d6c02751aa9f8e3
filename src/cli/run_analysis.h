// From files on disk to a report, and to the files that stand beside a run.
#pragma once

#include <optional>
#include <string>

#include "analysis/run_report.h"
#include "base/result.h"
#include "cli/console.h"
#include "report/writers.h"

namespace etalon::cli {

struct AnalysisFlags {
  std::string etrecord;
  std::optional<analysis::ModelFacts> facts = {};  // of a program that the user names; absent: the manifest's
};

// A run folder or one recording, with everything that can be known here: the program, the ceilings of this machine if the
// run is its own, advice that was tried, and as much of the recordings as asked for.
Result<analysis::Report> read_report(const std::string& path, const AnalysisFlags& flags, report::Timelines timelines);

// The same for a run folder, and writes what belongs in it: the files of writers.def that stand beside a run, and three CSV
// files per recording.
Result<analysis::Report> analyze_and_write(const std::string& run_dir, const AnalysisFlags& flags);

// The terminal report, as wide and as colourful as the console is.
std::string terminal_report(const analysis::Report& report, const Console& console);

// Whether `path` is a folder.
bool is_folder(const std::string& path);

}  // namespace etalon::cli
