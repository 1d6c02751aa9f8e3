#include "analysis/report_comparisons.h"

#include <algorithm>

#include "analysis/run_comparison.h"

namespace etalon::analysis {
namespace {

constexpr std::size_t kMaxComparisons = 50;  // without pairs of the user's
constexpr std::size_t kEnoughForATable = 3;

// The results of a folder with all that is known of each; in the order of the manifest.
class Runs {
 public:
  explicit Runs(const Report& report) : report_(report) {
    const auto& results = report.manifest.results;
    recordings_.reserve(results.size());  // runs point into it
    for (const RunResult& result : results) {
      recordings_.push_back(recording_of(result));
      runs_.push_back(run_of(result));
    }
  }

  std::size_t size() const { return runs_.size(); }
  const RunResult& result(std::size_t i) const { return report_.manifest.results[i]; }
  const RecordedRun& operator[](std::size_t i) const { return runs_[i]; }

  // Something to compare: a time that is greater than nothing.
  bool is_timed(std::size_t i) const { return result(i).status == "ok" && result(i).median_ms.value_or(0) > 0; }

  std::optional<std::size_t> find(const std::string& experiment, std::uint32_t threads) const {
    for (std::size_t i = 0; i < size(); ++i) {
      if (result(i).experiment == experiment && result(i).threads == threads && is_timed(i)) return i;
    }
    return std::nullopt;
  }

 private:
  const measure::Recording* samples_at(const std::string& path) const {
    if (path.empty()) return nullptr;
    for (const RunSamples& samples : report_.samples) {
      if (samples.path == path) return &samples.recording;
    }
    return nullptr;
  }

  // With the A/A control of its session, which lies in a file of its own.
  measure::Recording recording_of(const RunResult& result) const {
    const measure::Recording* own = samples_at(result.samples);
    if (own == nullptr) return {};
    measure::Recording recording = *own;
    const measure::Recording* control = samples_at(result.control);
    if (control != nullptr && control->session == recording.session && recording.control.empty()) {
      recording.control = control->control;
    }
    return recording;
  }

  RecordedRun run_of(const RunResult& result) const {
    RecordedRun run;
    run.name = run_name(result.experiment, result.threads);
    run.result = &result;
    for (const Profile& profile : report_.profiles) {
      if (profile.experiment == result.experiment && profile.threads == result.threads) run.profile = &profile;
    }
    const auto other = report_.other_facts.find(run.name);
    if (other != report_.other_facts.end()) run.facts = &other->second;
    else if (report_.facts && result.model.empty()) run.facts = &*report_.facts;
    if (!recordings_.back().arms.empty()) run.recording = &recordings_.back();
    return run;
  }

  const Report& report_;
  std::vector<measure::Recording> recordings_;
  std::vector<RecordedRun> runs_;
};

void compare_planned(const Runs& runs, Report& report) {
  for (const PlannedComparison& pair : report.manifest.compare_pairs) {
    const auto before = runs.find(pair.baseline_experiment, pair.baseline_threads);
    const auto after = runs.find(pair.candidate_experiment, pair.candidate_threads);
    if (before && after) report.comparisons.push_back(compare_runs(pair.label, runs[*before], runs[*after]));
  }
}

void compare_neighbours(const Runs& runs, Report& report) {
  for (std::size_t i = 0; i < runs.size(); ++i) {
    for (std::size_t j = i + 1; j < runs.size() && report.comparisons.size() < kMaxComparisons; ++j) {
      if (!runs.is_timed(i) || !runs.is_timed(j)) continue;
      const RunResult& a = runs.result(i);
      const RunResult& b = runs.result(j);
      if ((a.experiment == b.experiment) != (a.threads == b.threads)) {
        report.comparisons.push_back(compare_runs("", runs[i], runs[j]));
      }
    }
  }
}

}  // namespace

void add_comparisons(Report& report) {
  const Runs runs(report);
  if (report.manifest.compare_pairs.empty()) compare_neighbours(runs, report);
  else compare_planned(runs, report);
  std::vector<RecordedRun> timed;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (runs.is_timed(i)) timed.push_back(runs[i]);
  }
  if (timed.size() >= kEnoughForATable) report.table = table_of_runs(timed);
}

}  // namespace etalon::analysis
