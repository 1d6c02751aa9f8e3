#include "analysis/run_comparison.h"

#include <algorithm>
#include <map>
#include <optional>
#include <span>

#include "measure/statistics.h"

namespace etalon::analysis {
namespace {

using measure::ArmSamples;
using measure::JudgeOptions;
using measure::Recording;
using measure::Verdict;

const ArmSamples* arm_of(const RecordedRun& run) {
  if (run.recording == nullptr || run.arm >= run.recording->arms.size()) return nullptr;
  return &run.recording->arms[run.arm];
}

bool same_session(const RecordedRun& a, const RecordedRun& b) {
  if (a.recording == b.recording) return true;
  return !a.recording->session.empty() && a.recording->session == b.recording->session;
}

std::optional<measure::Control> control_of(const RecordedRun& run, const JudgeOptions& judge) {
  const Recording& recording = *run.recording;
  if (recording.control.size() != 2 || recording.control.front().launches.empty()) return std::nullopt;
  const auto ratios = measure::pair_arms(recording.control[0], recording.control[1]);
  if (!ratios.ok()) return std::nullopt;
  const std::size_t planned =
      recording.looks.empty() ? recording.arms.front().launches.size() : recording.looks.back();
  return measure::judge_control(*ratios, planned, judge);
}

struct Judged {
  Verdict verdict;
  std::optional<measure::Control> control;
};

std::optional<Judged> judge_runs(const RecordedRun& baseline, const RecordedRun& candidate,
                                 const JudgeOptions& judge) {
  const ArmSamples* before = arm_of(baseline);
  const ArmSamples* after = arm_of(candidate);
  if (before == nullptr || after == nullptr) return std::nullopt;
  Judged judged;
  JudgeOptions informed = judge;
  if (same_session(baseline, candidate)) {
    const auto ratios = measure::pair_arms(*before, *after);
    if (ratios.ok()) {
      judged.control = control_of(baseline, judge);
      if (!judged.control) judged.control = control_of(candidate, judge);
      if (judged.control) informed = measure::with_control(judge, *judged.control);
      judged.verdict = measure::judge(*ratios, informed);
      return judged;
    }
  }
  const auto ratios = measure::pair_sessions(*before, *after);
  if (!ratios.ok()) return std::nullopt;
  judged.verdict = measure::judge(*ratios, judge);
  return judged;
}

// Untraced where it is known; a recording's own time otherwise.
double time_of(const RecordedRun& run) {
  if (const ArmSamples* arm = arm_of(run)) {
    const std::vector<double> runs = arm->runs_ms();
    if (!runs.empty()) return measure::median(runs);
  }
  if (run.result != nullptr && run.result->median_ms) return *run.result->median_ms;
  return run.profile != nullptr ? run.profile->accounting.end_to_end_ms : 0;
}

// Of a figure that every launch tells: the largest for memory, the median for times.
std::optional<double> figure_of(const RecordedRun& run, const char* name, bool largest) {
  const ArmSamples* arm = arm_of(run);
  if (arm == nullptr) return std::nullopt;
  std::vector<double> values;
  for (const measure::LaunchRecord& launch : arm->launches) {
    const auto found = launch.figures.find(name);
    if (found != launch.figures.end()) values.push_back(found->second);
  }
  if (values.empty()) return std::nullopt;
  return largest ? *std::max_element(values.begin(), values.end()) : measure::median(values);
}

template <class Get>
std::optional<double> first_known(std::optional<double> value, const RecordedRun& run, Get get) {
  return value ? value : get(run);
}

std::optional<double> load_of(const RecordedRun& run) {
  return first_known(figure_of(run, "load_ms", false), run,
                     [](const RecordedRun& r) -> std::optional<double> {
                       if (r.result != nullptr && r.result->load_ms) return r.result->load_ms;
                       return r.profile != nullptr ? r.profile->load_ms : std::nullopt;
                     });
}

std::optional<double> first_of(const RecordedRun& run) {
  return first_known(figure_of(run, "first_ms", false), run,
                     [](const RecordedRun& r) -> std::optional<double> {
                       if (r.result != nullptr && r.result->first_ms) return r.result->first_ms;
                       return r.profile != nullptr ? r.profile->cold_ms : std::nullopt;
                     });
}

std::optional<double> peak_of(const RecordedRun& run) {
  return first_known(figure_of(run, "peak_rss_bytes", true), run,
                     [](const RecordedRun& r) -> std::optional<double> {
                       if (r.result != nullptr && r.result->peak_rss_bytes) return r.result->peak_rss_bytes;
                       return r.profile != nullptr ? r.profile->memory.peak_rss : std::nullopt;
                     });
}

std::optional<double> packed_of(const RecordedRun& run) {
  return first_known(figure_of(run, "packed_weights_bytes", true), run, [](const RecordedRun& r) {
    return r.profile != nullptr ? r.profile->memory.packed_weights : std::optional<double>();
  });
}

std::optional<double> model_size_of(const RecordedRun& run) {
  return run.facts != nullptr && run.facts->file_bytes > 0 ? std::optional(run.facts->file_bytes)
                                                           : std::nullopt;
}

std::optional<double> planned_of(const RecordedRun& run) {
  return run.facts != nullptr && run.facts->planned_bytes > 0 ? std::optional(run.facts->planned_bytes)
                                                              : std::nullopt;
}

void add_figures(const RecordedRun& baseline, const RecordedRun& candidate, Comparison& comparison) {
  const auto add = [&](const char* name, const char* unit, auto get) {
    FigureChange figure{name, unit, get(baseline), get(candidate)};
    if (figure.baseline || figure.candidate) comparison.figures.push_back(std::move(figure));
  };
  add("model file", "bytes", model_size_of);
  add("packed weights", "bytes", packed_of);
  add("planned activations", "bytes", planned_of);
  add("peak memory of process", "bytes", peak_of);
  add("load", "ms", load_of);
  add("first inference", "ms", first_of);
  comparison.baseline_bytes = peak_of(baseline);
  comparison.candidate_bytes = peak_of(candidate);
}

bool asks_for_other_kernels(const RecordedRun& baseline, const RecordedRun& candidate) {
  if (baseline.result == nullptr || candidate.result == nullptr) return false;
  const RunResult& a = *baseline.result;
  const RunResult& b = *candidate.result;
  return a.isa_wanted != b.isa_wanted || a.runner != b.runner || a.engine != b.engine;
}

std::string backend_of(const RecordedRun& run) {
  if (run.facts != nullptr) return run.facts->delegates > 0 ? "xnnpack" : "portable";
  if (run.profile == nullptr) return {};
  const auto& operators = run.profile->operators;
  const bool delegated =
      std::any_of(operators.begin(), operators.end(), [](const OperatorRow& row) { return row.delegated; });
  return delegated ? "delegated" : "portable";
}

std::string dtype_of(const RecordedRun& run) {
  if (run.facts != nullptr) return main_dtype(*run.facts);
  return run.profile != nullptr ? run.profile->dtype : std::string();
}

FactorRun factors_of(const RecordedRun& run) {
  FactorRun row;
  row.levels = {{"dtype", dtype_of(run)}, {"backend", backend_of(run)}};
  if (run.result != nullptr) {
    row.levels.emplace_back("engine", run.result->engine);
    row.levels.emplace_back("isa", run.result->isa.empty() ? run.result->isa_wanted : run.result->isa);
    row.levels.emplace_back("threads", std::to_string(run.result->threads));
  }
  row.cell.run = run.name;
  row.cell.median_ms = time_of(run);
  row.cell.first_ms = first_of(run);
  if (const ArmSamples* arm = arm_of(run)) {
    const std::vector<double> runs = arm->runs_ms();
    if (!runs.empty()) row.cell.p95_ms = measure::summarize(runs).p95;
  } else if (run.result != nullptr) {
    row.cell.p95_ms = run.result->p95_ms;
  }
  return row;
}

}  // namespace

std::string main_dtype(const ModelFacts& facts) {
  std::map<std::string, double> flops;
  for (const NodeFacts& node : facts.nodes) {
    flops[node.compute_dtype.empty() ? node.dtype : node.compute_dtype] += node.flops;
  }
  std::string best;
  double most = 0;
  for (const auto& [dtype, sum] : flops) {
    if (sum > most) {
      most = sum;
      best = dtype;
    }
  }
  return best;
}

Comparison compare_runs(const std::string& label, const RecordedRun& baseline, const RecordedRun& candidate,
                        const JudgeOptions& judge) {
  Comparison comparison;
  comparison.baseline = baseline.name;
  comparison.candidate = candidate.name;
  comparison.label = label.empty() ? candidate.name + " against " + baseline.name : label;
  comparison.baseline_ms = time_of(baseline);
  comparison.candidate_ms = time_of(candidate);
  if (comparison.baseline_ms > 0) comparison.ratio = comparison.candidate_ms / comparison.baseline_ms;
  if (auto judged = judge_runs(baseline, candidate, judge)) {
    comparison.verdict = judged->verdict;
    comparison.control = judged->control;
    comparison.interleaved = judged->verdict.interleaved;
    comparison.ratio = judged->verdict.ratio;
  } else {
    comparison.notes.push_back("no raw samples of both runs: medians are compared, without a verdict");
  }
  comparison.differs_in_kernels = asks_for_other_kernels(baseline, candidate);
  add_figures(baseline, candidate, comparison);
  if (baseline.profile != nullptr && candidate.profile != nullptr) {
    compare_profiles(*baseline.profile, baseline.facts, *candidate.profile, candidate.facts, comparison);
  } else {
    const RecordedRun& without = baseline.profile == nullptr ? baseline : candidate;
    comparison.notes.push_back("operators are not compared: there is no recording of " + without.name);
  }
  return comparison;
}

FactorTable table_of_runs(const std::vector<RecordedRun>& runs, const JudgeOptions& judge) {
  std::vector<FactorRun> rows;
  for (const RecordedRun& run : runs) {
    rows.push_back(factors_of(run));
    if (rows.size() == 1) continue;
    if (auto judged = judge_runs(runs.front(), run, judge)) rows.back().cell.verdict = judged->verdict;
  }
  return make_factor_table(rows);
}

}  // namespace etalon::analysis
