#include "analysis/advice_file.h"

#include <array>

#include "analysis/json_reading.h"
#include "analysis/verdict_json.h"

namespace etalon::analysis {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::array kKinds = {RemedyKind::kNone,  RemedyKind::kThreads, RemedyKind::kIsa,
                               RemedyKind::kEngine, RemedyKind::kBackend, RemedyKind::kDtype,
                               RemedyKind::kMath,  RemedyKind::kPass,    RemedyKind::kPrepack};
constexpr std::array kOutcomes = {AdviceOutcome::kKept, AdviceOutcome::kRejected, AdviceOutcome::kNotApplied};

template <class Names, class NameOf>
auto named(const Names& names, NameOf name_of, const std::string& name) {
  for (const auto value : names) {
    if (name_of(value) == name) return value;
  }
  return names.back();
}

void put(ordered_json& object, const char* name, const std::optional<double>& value) {
  if (value) object[name] = *value;
}

ordered_json to_json(const VerifiedAdvice& advice) {
  ordered_json out = {{"rule", advice.rule}, {"subject", advice.subject}};
  out["remedy"] = {{"kind", remedy_kind_name(advice.remedy.kind)},
                   {"value", advice.remedy.value},
                   {"command", advice.remedy.command}};
  out["outcome"] = advice_outcome_name(advice.outcome);
  if (!advice.reason.empty()) out["reason"] = advice.reason;
  put(out, "predicted_low_ms", advice.predicted_low_ms);
  put(out, "predicted_high_ms", advice.predicted_high_ms);
  if (advice.baseline_ms > 0) out["baseline_ms"] = advice.baseline_ms;
  if (advice.candidate_ms > 0) out["candidate_ms"] = advice.candidate_ms;
  if (advice.verdict) out["verdict"] = verdict_json(*advice.verdict);
  put(out, "snr_db", advice.snr_db);
  put(out, "relative_to_peak", advice.relative_to_peak);
  put(out, "accuracy_before", advice.accuracy_before);
  put(out, "accuracy_after", advice.accuracy_after);
  return out;
}

VerifiedAdvice from_json(const json& item) {
  VerifiedAdvice advice;
  advice.rule = text_member(item, "rule");
  advice.subject = text_member(item, "subject");
  if (const json* remedy = member(item, "remedy")) {
    advice.remedy.value = text_member(*remedy, "value");
    advice.remedy.command = text_member(*remedy, "command");
    const std::string kind = text_member(*remedy, "kind");
    for (const RemedyKind known : kKinds) {
      if (remedy_kind_name(known) == kind) advice.remedy.kind = known;
    }
  }
  advice.outcome = named(kOutcomes, advice_outcome_name, text_member(item, "outcome"));
  advice.reason = text_member(item, "reason");
  advice.predicted_low_ms = number_member(item, "predicted_low_ms");
  advice.predicted_high_ms = number_member(item, "predicted_high_ms");
  advice.baseline_ms = number_member(item, "baseline_ms").value_or(0);
  advice.candidate_ms = number_member(item, "candidate_ms").value_or(0);
  if (const json* verdict = member(item, "verdict")) advice.verdict = verdict_from_json(*verdict);
  advice.snr_db = number_member(item, "snr_db");
  advice.relative_to_peak = number_member(item, "relative_to_peak");
  advice.accuracy_before = number_member(item, "accuracy_before");
  advice.accuracy_after = number_member(item, "accuracy_after");
  return advice;
}

}  // namespace

std::string advice_json(const std::vector<VerifiedAdvice>& advice) {
  ordered_json out = {{"schema", kAdviceSchema}, {"advice", ordered_json::array()}};
  for (const VerifiedAdvice& item : advice) out["advice"].push_back(to_json(item));
  return out.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
}

Result<std::vector<VerifiedAdvice>> parse_advice(std::string_view text) {
  const json file = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (file.is_discarded() || !file.is_object()) return invalid_input("found no JSON object");
  if (text_member(file, "schema") != kAdviceSchema) {
    return invalid_input("found schema '" + text_member(file, "schema") + "', want " + std::string(kAdviceSchema));
  }
  const json* items = member(file, "advice");
  if (items == nullptr || !items->is_array()) return invalid_input("has no list 'advice'");
  std::vector<VerifiedAdvice> advice;
  for (const json& item : *items) advice.push_back(from_json(item));
  return advice;
}

Result<std::vector<VerifiedAdvice>> read_advice(const std::string& run_dir) {
  const std::string path = run_dir + "/advice.json";
  if (!file_exists(path)) return std::vector<VerifiedAdvice>();
  ETALON_TRY(const std::string text, read_text_file(path, kMaxJsonBytes));
  ETALON_TRY(std::vector<VerifiedAdvice> advice, parse_advice(text), path);
  return advice;
}

}  // namespace etalon::analysis
