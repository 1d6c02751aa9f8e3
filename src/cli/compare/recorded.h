// What is already on disk and can be compared: run folders, experiments in them, single recordings, samples
// files.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "analysis/run_comparison.h"
#include "analysis/run_report.h"
#include "base/result.h"

namespace etalon::cli {

// One run and what it owns. Moves, does not copy; view() refers to it.
struct RecordedSide {
  std::string name;  // "fast, 1 thread"
  std::string from;  // the folder or file
  std::optional<analysis::RunResult> result;
  std::optional<analysis::Profile> profile;
  std::shared_ptr<const analysis::ModelFacts> facts;  // runs of one folder share them
  std::optional<measure::Recording> recording;
  std::size_t arm = 0;
  std::vector<std::string> notes;

  analysis::RecordedRun view() const;
};

// Whether `text` names something recorded: a folder, DIR#NAME, an .etdump or a samples file.
bool names_recording(const std::string& text);

// `text`: DIR (all of its runs), DIR#NAME, DIR#NAME@tN, FILE.etdump, FILE.json of samples, FILE.json#ARM.
// `threads` narrows runs of a folder where NAME says nothing of them; 0: any. At least one run. Errors:
// kNotFound (naming the nearest run), kInvalidInput (neither a run folder nor a recording).
Result<std::vector<RecordedSide>> open_recorded(const std::string& text, std::uint32_t threads);

}  // namespace etalon::cli
