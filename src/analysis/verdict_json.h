// A verdict in JSON, the same wherever one is written: summaries, advice, comparisons.
#pragma once

#include <nlohmann/json.hpp>

#include "measure/verdict.h"

namespace etalon::analysis {

// {"claim","ratio","interval":[low,high],"confidence","p_value","equivalence_margin","smallest_effect","unit","units",
//  "launches","blocks","voided","disturbed","unsteady","interleaved","control_alarmed","launches_needed"}; an interval
// that is not finite is absent, as is what was not measured.
nlohmann::ordered_json verdict_json(const measure::Verdict& verdict);

// What verdict_json() wrote; absent members keep their defaults. Never fails: a verdict is shown, not acted on.
measure::Verdict verdict_from_json(const nlohmann::json& object);

// {"ran","alarmed","noise_floor","smallest_effect"}.
nlohmann::ordered_json control_json(const measure::Control& control);

}  // namespace etalon::analysis
