// `etalon report`: a run folder in one of several formats.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "base/file.h"
#include "cli/command.h"
#include "cli/run_analysis.h"
#include "report/writers.h"

namespace etalon::cli {
namespace {

struct Flags {
  std::string path;
  std::string format = "terminal";
  std::string output;
  std::string etrecord;
};

std::string formatted(const analysis::Report& report, const Flags& flags, const Console& console) {
  if (flags.format == "markdown") return report::write_markdown(report);
  if (flags.format == "html") return report::write_html(report);
  if (flags.format == "json") return report::write_json(report);
  if (flags.format == "csv") return report::write_csv(report);
  return flags.output.empty() ? terminal_report(report, console) : report::write_terminal(report, {});
}

Result<int> run(const Flags& flags, const Console& console) {
  analysis::ReportOptions options;
  options.etrecord = flags.etrecord;
  const Result<analysis::Report> report = is_folder(flags.path)
                                              ? analysis::report_on_folder(flags.path, options)
                                              : analysis::report_on_etdump(flags.path, options);
  if (!report.ok()) return report.error();
  const std::string text = formatted(*report, flags, console);
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
  app.add_option("run", flags->path, "A run folder or an .etdump")->required();
  app.add_option("-f,--format", flags->format, "Format")
      ->check(CLI::IsMember({"terminal", "markdown", "html", "csv", "json"}))
      ->capture_default_str();
  app.add_option("-o,--output", flags->output, "File to write (default: stdout)");
  app.add_option("--etrecord", flags->etrecord,
                 "Export record for source lines (default for folders: <model>.etrecord)");
  return [flags](Console& console) { return run(*flags, console); };
}

}  // namespace

extern const Command kReportCommand;
const Command kReportCommand = {"report", "Show a run folder as terminal text, Markdown, HTML, CSV or JSON",
                                "  etalon report out_model/runs/linux\n"
                                "  etalon report out_model/runs/linux --format html -o report.html",
                                declare};

}  // namespace etalon::cli
