// The verdict on two results of run folders, recomputed from their samples files.
//
// Results that were measured in one session are paired by launch and block and judged with what the session's A/A
// control taught; results of two sessions are paired by launch, and a difference must exceed measure::kSessionMargin
// before it is believed. Reads files and computes, keeps nothing. Thread-safe.
#pragma once

#include <string>

#include "analysis/manifest.h"
#include "base/result.h"
#include "measure/samples.h"
#include "measure/verdict.h"

namespace etalon::analysis {

struct SessionVerdict {
  measure::Verdict verdict;   // of the candidate against the baseline
  measure::Control control;   // `ran` is false where the session had none
  bool interleaved = false;   // both results are of one session
};

// `baseline` and `candidate` are results of `run_dir`. `options` are those of the caller; the control's noise floor is
// added. Errors: kInvalidInput (a result without samples, naming it; a damaged file; no launch in common), kNotFound.
Result<SessionVerdict> judge_results(const std::string& run_dir, const RunResult& baseline, const RunResult& candidate,
                                     const measure::JudgeOptions& options = {});

// The same for results of two folders.
Result<SessionVerdict> judge_results(const std::string& baseline_dir, const RunResult& baseline,
                                     const std::string& candidate_dir, const RunResult& candidate,
                                     const measure::JudgeOptions& options = {});

// The samples of one result: one arm. Errors as above.
Result<measure::Recording> read_result_samples(const std::string& run_dir, const RunResult& result);

// The A/A control of the session that measured `result`; `ran` is false where it had none, or its file is gone.
Result<measure::Control> read_control(const std::string& run_dir, const RunResult& result,
                                      const measure::JudgeOptions& options = {});

}  // namespace etalon::analysis
