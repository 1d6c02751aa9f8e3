// advice.json of a run folder: which advice was tried, and what came of it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "analysis/remedy.h"
#include "base/result.h"

namespace etalon::analysis {

inline constexpr std::string_view kAdviceSchema = "etalon.advice/1";

std::string advice_json(const std::vector<VerifiedAdvice>& advice);

// Errors: kInvalidInput (not JSON, another schema, no list of advice).
Result<std::vector<VerifiedAdvice>> parse_advice(std::string_view text);

// Nothing when the folder has no such file. Errors: those of parse_advice(), naming the file.
Result<std::vector<VerifiedAdvice>> read_advice(const std::string& run_dir);

}  // namespace etalon::analysis
