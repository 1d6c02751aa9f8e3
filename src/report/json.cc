#include <nlohmann/json.hpp>

#include "report/writers.h"

namespace etalon::report {
namespace {

using analysis::Report;
using nlohmann::ordered_json;

void put(ordered_json& object, const char* name, const std::string& value) {
  if (!value.empty()) object[name] = value;
}

void put(ordered_json& object, const char* name, const std::optional<double>& value) {
  if (value) object[name] = *value;
}

ordered_json source_json(const analysis::Source& source) {
  ordered_json out;
  out["file"] = source.file;
  out["line"] = source.line;
  put(out, "function", source.function);
  put(out, "code", source.code);
  put(out, "module", source.module);
  put(out, "module_type", source.module_type);
  return out;
}

ordered_json operator_json(const analysis::OperatorRow& row, const analysis::Profile& profile) {
  ordered_json out;
  out["name"] = row.name;
  out["op_type"] = row.op_type;
  out["category"] = row.category;
  out["delegated"] = row.delegated;
  out["backend"] = row.backend;
  out["avg_ms"] = row.avg_ms;
  out["median_ms"] = row.median_ms;
  out["traced_avg_ms"] = row.traced_avg_ms;
  out["share"] = row.share;
  out["calls"] = row.calls;
  out["instruction"] = row.instruction;
  put(out, "kernel_hint", row.kernel_hint);
  put(out, "isa", row.isa);
  if (!row.isa.empty() && row.wanted_isa != row.isa) put(out, "isa_wanted", row.wanted_isa);
  put(out, "isa_reason", row.isa_reason);
  put(out, "tile", row.tile);
  if (row.kernel_threads > 0) out["kernel_threads"] = row.kernel_threads;
  put(out, "dtype", row.dtype);
  if (row.source) out["source"] = source_json(*row.source);
  out["experiment"] = profile.experiment;
  if (profile.threads > 0) out["threads"] = profile.threads;
  return out;
}

ordered_json accounting_json(const analysis::Profile& profile) {
  const analysis::Accounting& account = profile.accounting;
  ordered_json out;
  out["run"] = profile.name;
  out["operators_ms"] = account.operators_ms;
  out["framework_ms"] = account.framework_ms;
  out["residual_ms"] = account.residual_ms;
  out["end_to_end_ms"] = account.end_to_end_ms;
  put(out, "untraced_end_to_end_ms", account.untraced_ms);
  out["traced_end_to_end_ms"] = account.traced_ms;
  out["scale"] = account.scale;
  put(out, "trace_overhead", account.trace_overhead);
  put(out, "cold_ms", profile.cold_ms);
  put(out, "load_ms", profile.load_ms);
  return out;
}

ordered_json isas_json(const analysis::Profile& profile) {
  ordered_json out = ordered_json::array();
  for (const analysis::IsaRow& row : profile.isas) {
    ordered_json item = {{"isa", row.isa}, {"isa_wanted", row.wanted_isa}, {"operators", row.operators}, {"ms", row.ms}};
    put(item, "reason", row.reason);
    out.push_back(std::move(item));
  }
  return out;
}

ordered_json profile_json(const analysis::Profile& profile) {
  ordered_json out;
  out["etdump"] = profile.etdump;
  put(out, "experiment", profile.experiment);
  if (profile.threads > 0) out["threads"] = profile.threads;
  ordered_json categories = ordered_json::object();
  for (const analysis::CategoryRow& row : profile.categories) categories[row.name] = row.ms;
  out["categories_ms"] = std::move(categories);
  out["rows"] = profile.event_rows;
  out["steady_runs"] = profile.steady_runs;
  out["cold_runs"] = profile.cold_runs;
  if (!profile.isas.empty()) out["isas"] = isas_json(profile);
  out["accounting"] = accounting_json(profile);
  const analysis::CsvPaths paths = analysis::csv_paths_of(profile.etdump);
  out["csv_timeline"] = paths.run0;
  out["csv_stats"] = paths.stats;
  return out;
}

ordered_json finding_json(const analysis::Finding& finding) {
  ordered_json out;
  out["rule"] = finding.rule->id;
  out["severity"] = analysis::severity_name(finding.severity);
  out["run"] = finding.profile;
  out["subject"] = finding.subject;
  out["detects"] = finding.rule->detects;
  out["why"] = finding.rule->why;
  out["remedy"] = finding.rule->remedy;
  out["confirm"] = finding.rule->confirm;
  out["wrong_when"] = finding.rule->wrong_when;
  ordered_json evidence = ordered_json::array();
  for (const analysis::Evidence& item : finding.evidence) {
    evidence.push_back({{"key", item.key}, {"value", item.value}, {"unit", item.unit}});
  }
  out["evidence"] = std::move(evidence);
  if (finding.source) out["source"] = source_json(*finding.source);
  if (finding.saving_high_ms) out["saving_ms"] = {finding.saving_low_ms.value_or(0), *finding.saving_high_ms};
  return out;
}

ordered_json kernels_json(const analysis::KernelComparison& kernels) {
  ordered_json out = {{"compared", kernels.compared}, {"changed", kernels.changed}, {"only_in_one", kernels.only_in_one}};
  out["changes"] = ordered_json::array();
  for (const analysis::KernelChange& change : kernels.changes) {
    out["changes"].push_back({{"baseline_kernel", change.baseline_kernel},
                              {"baseline_isa", change.baseline_isa},
                              {"candidate_kernel", change.candidate_kernel},
                              {"candidate_isa", change.candidate_isa},
                              {"baseline_ms", change.baseline_ms},
                              {"candidate_ms", change.candidate_ms},
                              {"operators", change.operators}});
  }
  return out;
}

ordered_json comparison_json(const analysis::Comparison& row) {
  ordered_json out = {{"label", row.label},
                      {"baseline", row.baseline},
                      {"candidate", row.candidate},
                      {"baseline_ms", row.baseline_ms},
                      {"candidate_ms", row.candidate_ms},
                      {"ratio", row.ratio}};
  if (row.kernels.compared > 0) out["kernels"] = kernels_json(row.kernels);
  return out;
}

}  // namespace

std::string write_json(const Report& report) {
  ordered_json root;
  root["schema"] = analysis::kSummarySchema;
  put(root, "run_dir", report.run_dir);
  put(root, "model", report.model);
  put(root, "etrecord", report.etrecord);
  root["etdump_count"] = report.profiles.size();
  root["category_totals_ms"] = report.category_totals_ms;
  root["kernel_hints"] = report.kernel_hints;
  ordered_json files = ordered_json::array();
  ordered_json per_etdump = ordered_json::array();
  ordered_json operators = ordered_json::array();
  ordered_json accounting = ordered_json::array();
  for (const analysis::Profile& profile : report.profiles) {
    per_etdump.push_back(profile_json(profile));
    accounting.push_back(accounting_json(profile));
    for (const analysis::OperatorRow& row : profile.operators)
      operators.push_back(operator_json(row, profile));
    const analysis::CsvPaths paths = analysis::csv_paths_of(profile.etdump);
    for (const std::string& path : {paths.all_runs, paths.run0, paths.stats}) files.push_back(path);
  }
  root["per_etdump"] = std::move(per_etdump);
  root["csv_files"] = std::move(files);
  root["operator_details"] = std::move(operators);
  root["accounting"] = accounting.empty() ? ordered_json::object() : accounting.front();
  root["comparisons"] = ordered_json::array();
  for (const analysis::Comparison& row : report.comparisons)
    root["comparisons"].push_back(comparison_json(row));
  root["findings"] = ordered_json::array();
  for (const analysis::Finding& finding : report.findings.found)
    root["findings"].push_back(finding_json(finding));
  root["not_evaluated"] = ordered_json::array();
  for (const analysis::NotEvaluated& skipped : report.findings.not_evaluated) {
    root["not_evaluated"].push_back(
        {{"rule", skipped.rule}, {"run", skipped.profile}, {"needs", skipped.needs}});
  }
  root["notes"] = report.notes;
  return root.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace etalon::report
