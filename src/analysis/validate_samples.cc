// The raw samples behind each result, and the A/A control of each session.
#include <algorithm>
#include <set>

#include "analysis/run_report.h"
#include "analysis/validate_check.h"
#include "measure/samples.h"

namespace etalon::analysis {
namespace {

using measure::ArmSamples;
using measure::Recording;

std::optional<Recording> read(const std::string& file, Check& check) {
  if (!check.present(file)) return std::nullopt;
  auto recording = measure::read_recording(check.path_of(file));
  if (recording.ok()) return std::move(recording).value();
  check.defect(file, "cannot be read: {}", recording.error().message());
  return std::nullopt;
}

void check_arm(const std::string& file, const ArmSamples& arm, Check& check) {
  std::string last;
  std::set<std::uint32_t> seen;
  for (const auto& launch : arm.launches) {
    if (!seen.insert(launch.index).second) check.defect(file, "launch {} stands there twice", launch.index);
    if (!launch.started_at.empty() && launch.started_at < last) check.defect(file, "launch {} started before the one in front of it", launch.index);
    last = std::max(last, launch.started_at);
    const bool counts = std::any_of(launch.blocks.begin(), launch.blocks.end(), [](const auto& block) { return !block.voided && !block.runs_ms.empty(); });
    if (!counts) check.defect(file, "launch {} holds no run that counts", launch.index);
  }
}

void check_arms(const RunResult& result, const Recording& recording, Check& check) {
  if (recording.arms.size() != 1) {
    check.defect(result.samples, "found {} arms, want 1", recording.arms.size());
    return;
  }
  const ArmSamples& arm = recording.arms.front();
  if (arm.runs_ms() != result.latency_ms) check.defect(result.samples, "its times differ from latency_ms in manifest.json");
  if (!arm.name.empty() && arm.name != result.experiment) check.defect(result.samples, "is of the experiment {}, manifest.json says {}", arm.name, result.experiment);
  if (arm.threads != result.threads) check.defect(result.samples, "was measured with {} threads, manifest.json says {}", arm.threads, result.threads);
  if (!arm.key.empty() && !result.key.empty() && arm.key != result.key) check.defect(result.samples, "is of another run than manifest.json (their keys differ)");
  if (arm.traced && !result.timing_was_traced) check.defect(result.samples, "was recorded with tracing on");
  if (recording.session != result.session) {
    check.defect(result.samples, "is of session \"{}\", manifest.json says \"{}\"", recording.session, result.session);
  }
  check_arm(result.samples, arm, check);
}

// Of one session the launches are paired, so that all runs must have as many.
void check_pairs(const std::vector<std::pair<const RunResult*, std::size_t>>& launches, Check& check) {
  for (const auto& [result, count] : launches) {
    for (const auto& [other, others] : launches) {
      if (result->session.empty() || result->session != other->session || count >= others) continue;
      check.defect(result->samples, "holds {} launches, {} of the same session {}", count, run_name(other->experiment, other->threads), others);
      break;
    }
  }
}

void check_control(const RunResult& result, Check& check) {
  const auto control = read(result.control, check);
  if (!control) return;
  if (control->control.size() != 2) {
    check.defect(result.control, "found {} runs of the control, want 2", control->control.size());
    return;
  }
  if (control->session != result.session) check.defect(result.control, "is of session \"{}\", manifest.json says \"{}\"", control->session, result.session);
  for (const ArmSamples& arm : control->control) check_arm(result.control, arm, check);
}

}  // namespace

void check_samples(const Manifest& manifest, Check& check) {
  std::vector<std::pair<const RunResult*, std::size_t>> launches;
  std::set<std::string> controls;
  for (const RunResult& result : manifest.results) {
    if (result.mode != "timing" || result.status != "ok") continue;
    if (result.samples.empty()) {
      if (!check.foreign()) check.defect("manifest.json", "{}: names no samples file", run_name(result.experiment, result.threads));
      continue;
    }
    if (const auto recording = read(result.samples, check)) {
      check_arms(result, *recording, check);
      if (recording->arms.size() == 1) launches.emplace_back(&result, recording->arms.front().launches.size());
    }
    if (!result.control.empty() && controls.insert(result.control).second) check_control(result, check);
  }
  check_pairs(launches, check);
}

}  // namespace etalon::analysis
