// A sweep for programs.
#include <cmath>
#include <nlohmann/json.hpp>

#include "analysis/quantisation_sweep.h"
#include "analysis/verdict_json.h"

namespace etalon::analysis {
namespace {

using Json = nlohmann::ordered_json;

// Infinite (the same numbers as float) is null, as JSON has no such number; `exact` beside it tells.
void put(Json& row, const char* name, const std::optional<double>& value) {
  if (value) row[name] = std::isfinite(*value) ? Json(*value) : Json(nullptr);
}

Json candidate_json(const QuantisationSweep& sweep, const SweepCandidate& candidate) {
  Json row = {{"name", candidate.name},
              {"what", candidate.what},
              {"command", candidate.command},
              {"program", candidate.program},
              {"bytes", candidate.bytes}};
  put(row, "ms", candidate.ms);
  if (candidate.ms_interval) row["ms_interval"] = {candidate.ms_interval->low, candidate.ms_interval->high};
  if (candidate.verdict) row["verdict"] = verdict_json(*candidate.verdict);
  put(row, "snr_db", candidate.snr_db);
  if (candidate.snr_db) row["exact"] = std::isinf(*candidate.snr_db) && *candidate.snr_db > 0;
  put(row, "cosine", candidate.cosine);
  put(row, "max_error", candidate.max_error);
  if (candidate.agreeing) row["top1_agreeing"] = *candidate.agreeing;
  if (candidate.right) row["top1_right"] = *candidate.right;
  row["on_front"] = !candidate.dominated_by.has_value();
  if (candidate.dominated_by) row["dominated_by"] = sweep.candidates[*candidate.dominated_by].name;
  row["meets_criterion"] = candidate.meets_criterion;
  return row;
}

}  // namespace

std::string sweep_json(const QuantisationSweep& sweep) {
  Json candidates = Json::array(), left_out = Json::array();
  for (const SweepCandidate& candidate : sweep.candidates)
    candidates.push_back(candidate_json(sweep, candidate));
  for (const auto& [name, why] : sweep.left_out) left_out.push_back({{"name", name}, {"why", why}});
  Json criterion = Json::object();
  put(criterion, "min_snr_db", sweep.criterion.min_snr_db);
  put(criterion, "max_drop", sweep.criterion.max_drop);
  Json json = {{"schema", "etalon.quantisation_sweep/1"},
               {"model", sweep.model},
               {"machine", sweep.machine},
               {"calibrated_on", sweep.calibrated_on},
               {"judged_on", sweep.judged_on},
               {"random_data", sweep.random_data},
               {"samples", sweep.samples},
               {"labels", sweep.has_labels},
               {"candidates", candidates},
               {"left_out", left_out},
               {"criterion", criterion},
               {"notes", sweep.notes}};
  if (sweep.control) json["control"] = control_json(*sweep.control);
  if (sweep.recommended)
    json["recommended"] = {{"name", sweep.candidates[*sweep.recommended].name}, {"why", sweep.why}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace etalon::analysis
