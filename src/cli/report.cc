// `etalon report`: a run folder in any format of report/writers.def, or several as one table.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "analysis/examples_table.h"
#include "base/file.h"
#include "cli/command.h"
#include "cli/model_facts.h"
#include "cli/run_analysis.h"
#include "report/writers.h"

namespace etalon::cli {
namespace {

struct Flags {
  std::vector<std::string> paths;
  std::string format;
  std::string table;
  std::string output;
  std::string etrecord;
  std::string model;
};

Result<AnalysisFlags> analysis_flags(const Flags& flags) {
  AnalysisFlags wanted;
  wanted.etrecord = flags.etrecord;
  if (!flags.model.empty()) {
    ETALON_TRY(wanted.facts, read_model_facts(flags.model));
  }
  return wanted;
}

Result<std::string> one_report(const Flags& flags, const Console& console) {
  if (flags.paths.size() > 1) {
    return invalid_input(fmt::format("{} runs, but a report is about one; --table shows several together", flags.paths.size()));
  }
  const std::string format = flags.format.empty() ? "terminal" : flags.format;
  const report::Writer* writer = report::find_writer(format);
  if (writer == nullptr) return invalid_input("--format: there is no format " + format);
  ETALON_TRY(const AnalysisFlags wanted, analysis_flags(flags));
  ETALON_TRY(const analysis::Report report, read_report(flags.paths.front(), wanted, writer->timelines));
  return format == "terminal" && flags.output.empty() ? terminal_report(report, console) : writer->write(report);
}

Result<std::string> examples_table(const Flags& flags) {
  if (!flags.format.empty() && flags.format != "markdown") {
    return invalid_input(fmt::format("--table {}: found --format {}, wanted markdown", flags.table, flags.format));
  }
  std::vector<analysis::Report> reports;
  for (const std::string& path : flags.paths) {
    if (!is_folder(path)) return invalid_input(path + ": --table wants run folders");
    ETALON_TRY(analysis::Report report, read_report(path, {}, report::Timelines::kNone));
    reports.push_back(std::move(report));
  }
  return report::write_examples_table(analysis::example_rows(reports));
}

Result<int> run(const Flags& flags, const Console& console) {
  ETALON_TRY(const std::string text, flags.table.empty() ? one_report(flags, console) : examples_table(flags));
  if (flags.output.empty()) {
    console.print(text);
    return kExitOk;
  }
  ETALON_CHECKED(write_file(flags.output, text));
  console.note(fmt::format("written: {}", flags.output));
  return kExitOk;
}

Action declare(CLI::App& app) {
  auto flags = std::make_shared<Flags>();
  std::vector<std::string> formats;
  std::string described = "Format:";
  for (const report::Writer& writer : report::all_writers()) {
    formats.emplace_back(writer.format);
    described += fmt::format("\n  {}: {}", writer.format, writer.what);
  }
  app.add_option("run", flags->paths, "A run folder or an .etdump; several run folders with --table")->required();
  app.add_option("-f,--format", flags->format, described + "\nDefault: terminal")->check(CLI::IsMember(formats));
  app.add_option("--table", flags->table,
                 "Several runs in one table: xnnpack-examples is models by portable, xnnpack fp32 and xnnpack q8")
      ->check(CLI::IsMember({"xnnpack-examples"}));
  app.add_option("-o,--output", flags->output, "File to write (default: stdout)");
  app.add_option("--etrecord", flags->etrecord,
                 "Export record for source lines (default for folders: <model>.etrecord)");
  app.add_option("--model", flags->model, "The .pte that a single .etdump was recorded with: shapes, arithmetic, source lines");
  return [flags](Console& console) { return run(*flags, console); };
}

}  // namespace

extern const Command kReportCommand;
const Command kReportCommand = {"report", "Show a run folder as text, Markdown, HTML, CSV, JSON or a timeline",
                                "  etalon report out_model/runs/linux\n"
                                "  etalon report out_model/runs/linux --format html -o report.html\n"
                                "  etalon report out_model/runs/linux --format perfetto -o trace.json\n"
                                "  etalon report out_*/runs/linux --table xnnpack-examples",
                                declare};

}  // namespace etalon::cli
