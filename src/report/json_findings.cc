#include "analysis/verdict_json.h"
#include "report/json_parts.h"

namespace etalon::report {
namespace {

Json remedy_json(const analysis::Remedy& remedy) {
  Json out = {{"kind", analysis::remedy_kind_name(remedy.kind)}};
  put(out, "value", remedy.value);
  put(out, "command", remedy.command);
  return out;
}

}  // namespace

Json finding_json(const analysis::Finding& finding) {
  Json out;
  out["rule"] = finding.rule->id;
  out["severity"] = analysis::severity_name(finding.severity);
  out["run"] = finding.profile;
  out["subject"] = finding.subject;
  out["detects"] = finding.rule->detects;
  out["why"] = finding.rule->why;
  out["remedy"] = finding.rule->remedy;
  out["confirm"] = finding.rule->confirm;
  out["wrong_when"] = finding.rule->wrong_when;
  Json evidence = Json::array();
  for (const analysis::Evidence& item : finding.evidence) {
    evidence.push_back({{"key", item.key}, {"value", item.value}, {"unit", item.unit}});
  }
  out["evidence"] = std::move(evidence);
  if (finding.source) out["source"] = source_json(*finding.source);
  if (finding.saving_high_ms) out["saving_ms"] = {finding.saving_low_ms.value_or(0), *finding.saving_high_ms};
  if (finding.remedy.kind != analysis::RemedyKind::kNone) out["apply"] = remedy_json(finding.remedy);
  return out;
}

Json advice_json(const analysis::VerifiedAdvice& advice) {
  Json out = {{"rule", advice.rule}, {"subject", advice.subject}, {"outcome", analysis::advice_outcome_name(advice.outcome)}, {"apply", remedy_json(advice.remedy)}};
  put(out, "reason", advice.reason);
  if (advice.predicted_high_ms) out["predicted_saving_ms"] = {advice.predicted_low_ms.value_or(0), *advice.predicted_high_ms};
  if (advice.outcome != analysis::AdviceOutcome::kNotApplied) {
    out["baseline_ms"] = advice.baseline_ms;
    out["candidate_ms"] = advice.candidate_ms;
  }
  if (advice.verdict) out["verdict"] = analysis::verdict_json(*advice.verdict);
  put(out, "snr_db", advice.snr_db);
  put(out, "relative_to_peak", advice.relative_to_peak);
  put(out, "accuracy_before", advice.accuracy_before);
  put(out, "accuracy_after", advice.accuracy_after);
  return out;
}

Json model_json(const analysis::ModelFacts& facts) {
  return {{"file_bytes", facts.file_bytes},       {"constant_bytes", facts.constant_bytes},   {"delegate_bytes", facts.delegate_bytes},
          {"planned_bytes", facts.planned_bytes}, {"parameters", facts.parameters},           {"delegates", facts.delegates},
          {"delegated_nodes", facts.delegated_nodes}, {"operator_calls", facts.operator_calls}};
}

}  // namespace etalon::report
