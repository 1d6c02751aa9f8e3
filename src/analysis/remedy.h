// What a finding proposes to do, in a form that a program can carry out, and what came of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "measure/verdict.h"

namespace etalon::analysis {

enum class RemedyKind : std::uint8_t {
  kNone,      // for a person: there is nothing to apply automatically
  kThreads,   // value: "2"
  kIsa,       // value: "avx512"
  kEngine,    // value: "native"
  kBackend,   // export again with --backend VALUE
  kDtype,     // export again with --dtype VALUE
  kMath,      // run with --math VALUE
  kPass,      // export again with the pass VALUE on ("-VALUE": off)
  kPrepack,   // `etalon prepack`
};
std::string_view remedy_kind_name(RemedyKind kind);  // "none", "threads", "isa", ...

struct Remedy {
  RemedyKind kind = RemedyKind::kNone;
  std::string value;
  std::string command;  // what a person would type; may hold MODEL
};

enum class AdviceOutcome : std::uint8_t { kKept, kRejected, kNotApplied };
std::string_view advice_outcome_name(AdviceOutcome outcome);  // "kept", "rejected", "not applied"

// A remedy that was carried out and measured against the model without it.
struct VerifiedAdvice {
  std::string rule;
  std::string subject;
  Remedy remedy;
  // Predicted and measured savings per run, in ms; absent where there was none.
  std::optional<double> predicted_low_ms;
  std::optional<double> predicted_high_ms;
  double baseline_ms = 0;
  double candidate_ms = 0;
  std::optional<measure::Verdict> verdict;
  std::optional<double> snr_db;             // outputs against those of the model before
  std::optional<double> relative_to_peak;
  std::optional<double> accuracy_before;    // where the model has labelled data, 0..1
  std::optional<double> accuracy_after;
  AdviceOutcome outcome = AdviceOutcome::kNotApplied;
  std::string reason;  // why it was rejected or not applied; empty when kept
};

}  // namespace etalon::analysis
