#include "cli/compare/reference.h"

#include <fmt/core.h>

#include "analysis/reference_comparison.h"
#include "analysis/run_comparison.h"
#include "base/file.h"
#include "cli/compare/compared_arm.h"
#include "cli/exporter.h"
#include "cli/model_facts.h"
#include "measure/experiment.h"
#include "report/writers.h"

namespace etalon::cli {
namespace {

// "float16" as --dtype says it. A type that the exporter does not know is left at fp32, with which anything
// can be held.
std::string export_dtype(const std::string& dtype) {
  if (dtype == "float16") return "fp16";
  return dtype == "int8" ? "int8" : "fp32";
}

Result<std::string> export_reference(const std::string& reference, const std::string& program,
                                     const std::string& folder) {
  ETALON_TRY(const analysis::ModelFacts facts, read_model_facts(program));
  ExportRequest request;
  request.model = reference;
  request.outdir = folder;
  request.backend = facts.delegates > 0 ? "xnnpack" : "portable";
  request.dtype = export_dtype(analysis::main_dtype(facts));
  ETALON_TRY(const ExportOutcome outcome, export_model(request), reference);
  return outcome.program_path;
}

}  // namespace

Result<ReferenceOutcome> compare_with_reference(const std::string& reference, CompareRequest request) {
  if (!request.trace) return invalid_input("a reference is compared by its operators; leave --no-trace out");
  if (request.engines.size() > 1 || request.isas.size() > 1 || request.threads.size() > 1) {
    return invalid_input("--reference takes one engine, one instruction set and one number of threads");
  }
  const std::string program = request.programs.front();
  if (!file_exists(program)) return not_found(program + ": no such program");
  if (request.output_dir.empty()) {
    request.output_dir = "out_compare/" + folder_name(measure::model_name_of(program)) + "_beside_" +
                         folder_name(reference.substr(reference.find(':') + 1));
  }
  std::string other = reference;
  if (!other.ends_with(".pte")) {
    ETALON_TRY(other, export_reference(reference, program, request.output_dir + "/artifacts"));
  }
  request.programs = {program, other};
  ETALON_TRY(const MeasuredComparison compared, compare_programs(request));
  if (compared.report.profiles.size() != 2)
    return run_failed("operators of both models could not be recorded");
  analysis::ReferenceComparison table =
      analysis::compare_with_reference(compared.report.profiles[0], compared.report.profiles[1]);
  table.model = compared.report.comparisons.front().baseline;
  table.reference = compared.report.comparisons.front().candidate;
  ETALON_CHECKED(write_file(compared.run_dir + "/reference.json", analysis::reference_json(table)));
  return ReferenceOutcome{report::write_reference_terminal(table, {}), compared.run_dir};
}

}  // namespace etalon::cli
