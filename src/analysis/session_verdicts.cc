#include "analysis/session_verdicts.h"

#include <fmt/core.h>

#include "analysis/run_report.h"
#include "base/file.h"

namespace etalon::analysis {
namespace {

bool are_of_one_session(const measure::Recording& a, const measure::Recording& b) {
  return !a.session.empty() && a.session == b.session;
}

std::size_t planned_launches(const measure::Recording& recording) {
  return recording.looks.empty() ? recording.control.front().launches.size() : recording.looks.back();
}

}  // namespace

Result<measure::Recording> read_result_samples(const std::string& run_dir, const RunResult& result) {
  const std::string name = run_name(result.experiment, result.threads);
  if (result.samples.empty()) return invalid_input(name + ": has no samples, so there is nothing to judge");
  ETALON_TRY(measure::Recording recording, measure::read_recording(run_dir + "/" + result.samples));
  if (recording.arms.size() == 1) return recording;
  return invalid_input(fmt::format("{}/{}: holds {} runs, want that of {} alone", run_dir, result.samples,
                                   recording.arms.size(), name));
}

Result<measure::Control> read_control(const std::string& run_dir, const RunResult& result,
                                      const measure::JudgeOptions& options) {
  const std::string path = run_dir + "/" + result.control;
  if (result.control.empty() || !file_exists(path)) return measure::Control();
  ETALON_TRY(const measure::Recording recording, measure::read_recording(path));
  // Another session's control says nothing of this one: the machine was another then.
  if (recording.control.size() != 2 || recording.session != result.session) return measure::Control();
  if (recording.control.front().launches.empty()) return measure::Control();
  ETALON_TRY(const measure::PairedRatios ratios, measure::pair_arms(recording.control[0], recording.control[1]), path);
  return measure::judge_control(ratios, planned_launches(recording), options);
}

Result<SessionVerdict> judge_results(const std::string& baseline_dir, const RunResult& baseline,
                                     const std::string& candidate_dir, const RunResult& candidate,
                                     const measure::JudgeOptions& options) {
  ETALON_TRY(const measure::Recording before, read_result_samples(baseline_dir, baseline));
  ETALON_TRY(const measure::Recording after, read_result_samples(candidate_dir, candidate));
  SessionVerdict out;
  out.interleaved = are_of_one_session(before, after);
  ETALON_TRY(const measure::PairedRatios ratios, out.interleaved ? measure::pair_arms(before.arms[0], after.arms[0])
                                                                 : measure::pair_sessions(before.arms[0], after.arms[0]));
  ETALON_TRY(out.control, read_control(baseline_dir, baseline, options));
  out.verdict = measure::judge(ratios, measure::with_control(options, out.control));
  return out;
}

Result<SessionVerdict> judge_results(const std::string& run_dir, const RunResult& baseline, const RunResult& candidate,
                                     const measure::JudgeOptions& options) {
  return judge_results(run_dir, baseline, run_dir, candidate, options);
}

}  // namespace etalon::analysis
