// `etalon analyze`: operator-level analysis of files that are already there.
#include <CLI/CLI.hpp>
#include <memory>

#include "cli/command.h"
#include "cli/model_facts.h"
#include "cli/run_analysis.h"
#include "report/writers.h"

namespace etalon::cli {
namespace {

struct Flags {
  std::string path;
  std::string etrecord;
  std::string model;
  bool json = false;
};

Result<int> run(const Flags& flags, const Console& console) {
  AnalysisFlags wanted;
  wanted.etrecord = flags.etrecord;
  if (!flags.model.empty()) {
    ETALON_TRY(wanted.facts, read_model_facts(flags.model));
  }
  const Result<analysis::Report> report = is_folder(flags.path) ? analyze_and_write(flags.path, wanted)
                                                                : read_report(flags.path, wanted, report::Timelines::kNone);
  if (!report.ok()) return report.error();
  console.print(flags.json ? report::write_json(*report) : terminal_report(*report, console));
  return kExitOk;
}

Action declare(CLI::App& app) {
  auto flags = std::make_shared<Flags>();
  app.add_option("run", flags->path, "A run folder, or an .etdump of any ExecuTorch runtime")->required();
  app.add_option("--etrecord", flags->etrecord,
                 "Export record for source lines (default for folders: <model>.etrecord)");
  app.add_option("--model", flags->model, "The .pte that a single .etdump was recorded with: shapes, arithmetic, source lines");
  app.add_flag("--json", flags->json, "Print the analysis as JSON");
  return [flags](Console& console) { return run(*flags, console); };
}

}  // namespace

extern const Command kAnalyzeCommand;
const Command kAnalyzeCommand = {"analyze",
                                 "Explain a recording: operators, categories, findings; from files alone",
                                 "  etalon analyze out_model/runs/linux\n"
                                 "  etalon analyze model.etdump --model model.pte --etrecord model.pte.etrecord --json",
                                 declare};

}  // namespace etalon::cli
