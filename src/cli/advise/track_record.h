// What became of advice over time, on this machine: a rule that predicts badly should be seen to. One line of JSON per
// piece of advice that was measured, in the user's cache folder, only ever appended to.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/remedy.h"
#include "base/result.h"

namespace etalon::cli {

struct RuleRecord {
  std::string rule;
  std::size_t tried = 0;
  std::size_t kept = 0;
  std::size_t predicted = 0;  // of those tried, that came with a prediction
  std::size_t inside = 0;     // ...and whose measured saving lay within it, the measurement's own interval included
};

// Advice that was not measured is left out. Errors: kIo.
Status append_track_record(const std::vector<analysis::VerifiedAdvice>& advice, std::string_view model, std::string_view when);

// Per rule, most tried first; empty when nothing was ever recorded. Lines that cannot be read are skipped.
Result<std::vector<RuleRecord>> read_track_record();

// Whether the measured saving and the predicted one overlap; nothing without a prediction or a verdict.
std::optional<bool> prediction_held(const analysis::VerifiedAdvice& advice);

}  // namespace etalon::cli
