#include "analysis/verdict_json.h"

#include <array>
#include <cmath>

#include "analysis/json_reading.h"

namespace etalon::analysis {
namespace {

using measure::Claim;
using measure::Verdict;
using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::array kClaims = {Claim::kFaster, Claim::kSlower, Claim::kEquivalent, Claim::kInconclusive};

Claim claim_of(const std::string& name) {
  for (const Claim claim : kClaims) {
    if (measure::claim_name(claim) == name) return claim;
  }
  return Claim::kInconclusive;
}

void put_interval(ordered_json& object, const char* name, const measure::Interval& interval) {
  if (std::isfinite(interval.low) && std::isfinite(interval.high)) object[name] = {interval.low, interval.high};
}

void read_interval(const json& object, const char* name, measure::Interval& interval) {
  const std::vector<double> ends = numbers_member(object, name);
  if (ends.size() == 2) interval = {ends[0], ends[1]};
}

bool flag_member(const json& object, const char* name, bool fallback) {
  const json* value = member(object, name);
  return value != nullptr && value->is_boolean() ? value->get<bool>() : fallback;
}

}  // namespace

ordered_json verdict_json(const Verdict& verdict) {
  ordered_json out;
  out["claim"] = measure::claim_name(verdict.claim);
  out["ratio"] = verdict.ratio;
  put_interval(out, "interval", verdict.interval);
  out["confidence"] = verdict.confidence;
  out["p_value"] = verdict.p_value;
  put_interval(out, "equivalence_interval", verdict.equivalence_interval);
  out["equivalence_margin"] = verdict.equivalence_margin;
  if (std::isfinite(verdict.smallest_effect)) out["smallest_effect"] = verdict.smallest_effect;
  out["unit"] = measure::unit_name(verdict.unit);
  out["units"] = verdict.units;
  out["launches"] = verdict.launches;
  out["blocks"] = verdict.blocks;
  out["voided"] = verdict.voided;
  out["disturbed"] = verdict.disturbed;
  out["unsteady"] = verdict.unsteady;
  out["interleaved"] = verdict.interleaved;
  out["control_alarmed"] = verdict.control_alarmed;
  if (verdict.launches_needed > 0) out["launches_needed"] = verdict.launches_needed;
  return out;
}

Verdict verdict_from_json(const json& object) {
  Verdict verdict;
  verdict.claim = claim_of(text_member(object, "claim"));
  verdict.ratio = number_member(object, "ratio").value_or(1);
  verdict.interval = {0, HUGE_VAL};
  verdict.equivalence_interval = {0, HUGE_VAL};
  read_interval(object, "interval", verdict.interval);
  read_interval(object, "equivalence_interval", verdict.equivalence_interval);
  verdict.confidence = number_member(object, "confidence").value_or(verdict.confidence);
  verdict.p_value = number_member(object, "p_value").value_or(1);
  verdict.equivalence_margin = number_member(object, "equivalence_margin").value_or(0);
  verdict.smallest_effect = number_member(object, "smallest_effect").value_or(0);
  verdict.unit = text_member(object, "unit") == "block" ? measure::Unit::kBlock : measure::Unit::kLaunch;
  verdict.units = count_member(object, "units").value_or(0);
  verdict.launches = count_member(object, "launches").value_or(0);
  verdict.blocks = count_member(object, "blocks").value_or(0);
  verdict.voided = count_member(object, "voided").value_or(0);
  verdict.disturbed = count_member(object, "disturbed").value_or(0);
  verdict.unsteady = count_member(object, "unsteady").value_or(0);
  verdict.interleaved = flag_member(object, "interleaved", true);
  verdict.control_alarmed = flag_member(object, "control_alarmed", false);
  verdict.launches_needed = count_member(object, "launches_needed").value_or(0);
  return verdict;
}

ordered_json control_json(const measure::Control& control) {
  ordered_json out = {{"ran", control.ran}};
  if (!control.ran) return out;
  out["alarmed"] = control.alarmed;
  out["noise_floor"] = control.noise_floor;
  if (std::isfinite(control.smallest_effect)) out["smallest_effect"] = control.smallest_effect;
  return out;
}

}  // namespace etalon::analysis
