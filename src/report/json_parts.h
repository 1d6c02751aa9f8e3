// The parts of the JSON report. What was not measured is absent: no nulls, no zeros.
#pragma once

#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "analysis/run_report.h"

namespace etalon::report {

using Json = nlohmann::ordered_json;

inline void put(Json& object, const char* name, std::string_view value) {
  if (!value.empty()) object[name] = value;
}
inline void put(Json& object, const char* name, const std::optional<double>& value) {
  if (value && std::isfinite(*value)) object[name] = *value;
}

Json source_json(const analysis::Source& source);                      // json_profile.cc
Json operator_json(const analysis::OperatorRow& row, const analysis::Profile& profile);
Json accounting_json(const analysis::Profile& profile);
Json profile_json(const analysis::Profile& profile);
Json interval_json(const measure::Interval& interval);                 // json_comparison.cc; an end that is infinite is absent
Json comparison_json(const analysis::Comparison& comparison);
Json factor_table_json(const analysis::FactorTable& table);
Json finding_json(const analysis::Finding& finding);                   // json_findings.cc
Json advice_json(const analysis::VerifiedAdvice& advice);
Json model_json(const analysis::ModelFacts& facts);

}  // namespace etalon::report
