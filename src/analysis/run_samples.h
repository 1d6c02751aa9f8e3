// The raw samples of a run folder.
#pragma once

#include <string>
#include <vector>

#include "analysis/run_report.h"

namespace etalon::analysis {

// One entry per result that names a samples file; a file that cannot be read gives a note instead. Results that share a
// file (arms of one session) share its recording's first entry.
std::vector<RunSamples> read_samples(const std::string& run_dir, const Manifest& manifest, std::vector<std::string>& notes);

}  // namespace etalon::analysis
