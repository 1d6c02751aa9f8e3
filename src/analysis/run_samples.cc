#include "analysis/run_samples.h"

#include <algorithm>

namespace etalon::analysis {

namespace {

void add(const std::string& run_dir, const std::string& path, const std::string& name, std::vector<RunSamples>& all,
         std::vector<std::string>& notes) {
  if (path.empty()) return;
  const bool known = std::any_of(all.begin(), all.end(), [&](const RunSamples& s) { return s.path == path; });
  if (known) return;
  Result<measure::Recording> recording = measure::read_recording(run_dir + "/" + path);
  if (recording.ok()) all.push_back({name, path, std::move(recording).value()});
  else notes.push_back("samples are not shown: " + recording.error().message());
}

}  // namespace

std::vector<RunSamples> read_samples(const std::string& run_dir, const Manifest& manifest, std::vector<std::string>& notes) {
  std::vector<RunSamples> all;
  for (const RunResult& result : manifest.results) {
    add(run_dir, result.samples, run_name(result.experiment, result.threads), all, notes);
  }
  for (const RunResult& result : manifest.results) add(run_dir, result.control, "A/A control", all, notes);
  return all;
}

}  // namespace etalon::analysis
