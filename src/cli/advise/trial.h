// One piece of advice, tried: the variant with it against the variant without it, interleaved, and their outputs.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/finding.h"
#include "analysis/remedy.h"
#include "base/result.h"
#include "cli/advise/variant.h"

namespace etalon::cli {

// What a variant must keep to be accepted.
struct AccuracyLimits {
  // Of a remedy that should only change rounding: the largest difference over the largest output.
  double relative_to_peak = 1e-3;
  // Of one that changes the arithmetic (another dtype): signal over error of the outputs...
  double snr_db = 20;
  // ...and, where the model comes with labelled data, what it may lose of its accuracy (0.005: half a point).
  double accuracy_drop = 0.005;
};

struct TrialOptions {
  std::vector<std::string> inputs;   // files; empty: drawn
  std::string zoo_model;             // "digits_cnn", to measure accuracy where the zoo has labelled data; may be empty
  std::string folder;                // for programs and samples of this trial
  double seconds = 8;                // of measuring, about
  AccuracyLimits limits;
  std::function<void(std::string_view phase, std::uint32_t done, std::uint32_t all)> progress;
};

struct Trial {
  analysis::VerifiedAdvice advice;
  Variant variant;  // with the remedy; meaningful unless the outcome is kNotApplied
};

// What a finding proposes, before it is tried.
struct Candidate {
  std::string rule;
  std::string subject;
  analysis::Remedy remedy;
  std::optional<double> saving_low_ms;
  std::optional<double> saving_high_ms;
};

// Remedies that can be carried out, each once, the largest predicted saving first.
std::vector<Candidate> candidates_of(const analysis::Findings& findings);

// Never fails because the advice does: that is an outcome with its reason. Errors: the model without it cannot be run,
// or a full disk.
Result<Trial> try_candidate(const Candidate& candidate, const Variant& current, const TrialOptions& options);

}  // namespace etalon::cli
