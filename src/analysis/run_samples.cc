#include "analysis/run_samples.h"

#include <algorithm>

namespace etalon::analysis {

std::vector<RunSamples> read_samples(const std::string& run_dir, const Manifest& manifest, std::vector<std::string>& notes) {
  std::vector<RunSamples> all;
  for (const RunResult& result : manifest.results) {
    if (result.samples.empty()) continue;
    const bool known = std::any_of(all.begin(), all.end(), [&](const RunSamples& s) { return s.path == result.samples; });
    if (known) continue;
    Result<measure::Recording> recording = measure::read_recording(run_dir + "/" + result.samples);
    if (!recording.ok()) {
      notes.push_back("samples are not shown: " + recording.error().message());
      continue;
    }
    all.push_back({run_name(result.experiment, result.threads), result.samples, std::move(recording).value()});
  }
  return all;
}

}  // namespace etalon::analysis
