// Types of arithmetic and ways to quantise one model, side by side: which of them nothing else beats in both
// latency and accuracy, and which to take.
//
// Beaten means shown: a candidate is dominated by another that is at least as accurate and was shown to be
// faster, or is more accurate and was shown to be faster or as fast. What no verdict separates stays on the
// front. Pure functions, thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "measure/samples.h"
#include "measure/signed_rank.h"
#include "measure/verdict.h"

namespace etalon::analysis {

struct SweepCandidate {
  std::string name;  // "int8", "int8 minmax", "int8 without 4"
  std::string what;  // "static, per channel, ranges by mse; conv2d, relu_2 in float"
  std::string
      command;  // flags of `etalon export` and of `etalon run` that give it: "--dtype int8 --observer minmax"
  std::string program;      // .pte
  std::uint64_t bytes = 0;  // of the program

  // Latency, of untraced interleaved runs: median, and a 95 % interval of it over launches.
  std::optional<double> ms;
  std::optional<measure::Interval> ms_interval;
  std::optional<measure::Verdict> verdict;  // against the first candidate; absent for that one

  // Accuracy against the first candidate, which is float: on all samples of the first output.
  std::optional<double> snr_db;  // infinite: the same numbers; absent: no signal
  std::optional<double> cosine;
  std::optional<double> max_error;
  std::optional<std::size_t> agreeing;  // samples of the same class; where the output is rows of scores
  std::optional<std::size_t> right;     // samples of the right class; with labels

  std::optional<std::size_t> dominated_by;  // index
  bool meets_criterion = false;
};

struct SweepCriterion {
  std::optional<double> min_snr_db = {};  // against float
  // Of right classes with labels, else of classes as in float, that may be lost: 0.005 is half a point.
  std::optional<double> max_drop = {};
};

struct QuantisationSweep {
  std::string model;
  std::string machine;    // "native engine, 1 thread": what ran
  std::string judged_on;  // "128 of 128 samples of photos"
  std::string calibrated_on;
  bool random_data = false;
  std::size_t samples = 0;
  bool has_labels = false;
  std::vector<SweepCandidate> candidates;                     // the first is float
  std::vector<std::pair<std::string, std::string>> left_out;  // name, why it could not be tried
  std::optional<measure::Control> control;
  SweepCriterion criterion;
  std::optional<std::size_t> recommended;
  std::string why;  // of the recommendation, or why there is none
  std::vector<std::string> notes;
};

// Fills, of all candidates (which are the arms of the recording, in order), ms, ms_interval, verdict,
// dominated_by and meets_criterion; and what is recommended: of those that meet the criterion, the fastest
// that was shown to be faster than float, or the most accurate of those as fast as it; float itself where
// nothing was shown to be faster. Errors: kInvalidInput (another number of arms), those of pairing arms.
Status judge_sweep(const measure::Recording& recording, const measure::Judgement& judgement,
                   QuantisationSweep& sweep);

// "SNR of at least 20 dB"; what a recommendation goes by.
std::string criterion_text(const QuantisationSweep& sweep);

std::string sweep_json(const QuantisationSweep& sweep);

}  // namespace etalon::analysis
