// analysis_summary.json, in the Arm kit's names where it has one.
#include "report/json_parts.h"
#include "report/writers.h"

namespace etalon::report {
namespace {

using analysis::Report;

void put_profiles(const Report& report, Json& root) {
  Json files = Json::array();
  Json per_etdump = Json::array();
  Json operators = Json::array();
  Json accounting = Json::array();
  for (const analysis::Profile& profile : report.profiles) {
    per_etdump.push_back(profile_json(profile));
    accounting.push_back(accounting_json(profile));
    for (const analysis::OperatorRow& row : profile.operators) operators.push_back(operator_json(row, profile));
    const analysis::CsvPaths paths = analysis::csv_paths_of(profile.etdump);
    for (const std::string& path : {paths.all_runs, paths.run0, paths.stats}) files.push_back(path);
  }
  root["per_etdump"] = std::move(per_etdump);
  root["csv_files"] = std::move(files);
  root["operator_details"] = std::move(operators);
  root["accounting"] = accounting.empty() ? Json::object() : accounting.front();
}

void put_findings(const Report& report, Json& root) {
  root["findings"] = Json::array();
  for (const analysis::Finding& finding : report.findings.found) root["findings"].push_back(finding_json(finding));
  root["not_evaluated"] = Json::array();
  for (const analysis::NotEvaluated& skipped : report.findings.not_evaluated) {
    root["not_evaluated"].push_back({{"rule", skipped.rule}, {"run", skipped.profile}, {"needs", skipped.needs}});
  }
  if (report.advice.empty()) return;
  root["advice"] = Json::array();
  for (const analysis::VerifiedAdvice& advice : report.advice) root["advice"].push_back(advice_json(advice));
}

}  // namespace

std::string write_json(const Report& report) {
  Json root;
  root["schema"] = analysis::kSummarySchema;
  put(root, "run_dir", report.run_dir);
  put(root, "model", report.model);
  put(root, "etrecord", report.etrecord);
  if (report.facts) root["model_facts"] = model_json(*report.facts);
  root["etdump_count"] = report.profiles.size();
  root["category_totals_ms"] = report.category_totals_ms;
  root["kernel_hints"] = report.kernel_hints;
  put_profiles(report, root);
  root["comparisons"] = Json::array();
  for (const analysis::Comparison& row : report.comparisons) root["comparisons"].push_back(comparison_json(row));
  if (report.table) root["table"] = factor_table_json(*report.table);
  put_findings(report, root);
  root["notes"] = report.notes;
  // Names come from files and may hold any bytes; JSON may not.
  return root.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace etalon::report
