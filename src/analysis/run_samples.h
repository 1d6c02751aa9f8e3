// The raw samples of a run folder.
#pragma once

#include <string>
#include <vector>

#include "analysis/run_report.h"

namespace etalon::analysis {

// One entry per samples file that a result names, then the A/A controls of the sessions; a file that cannot be read gives
// a note instead.
std::vector<RunSamples> read_samples(const std::string& run_dir, const Manifest& manifest, std::vector<std::string>& notes);

}  // namespace etalon::analysis
