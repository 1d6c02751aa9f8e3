// `etalon demo`: the whole story on two built-in models, without PyTorch; what the best matrix or vector extension of this
// machine changes, kernel by kernel.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>

#include "cli/advise/advisor.h"
#include "cli/advise/print.h"
#include "cli/command.h"
#include "cli/demo_model.h"
#include "cli/exporter.h"
#include "cli/isa_pair.h"
#include "cli/profile_session.h"
#include "cli/run_analysis.h"
#include "report/text.h"

namespace etalon::cli {
namespace {

// Relative to the output's magnitude; what a right fp32 implementation reaches.
constexpr double kTolerance = 1e-4;

struct Flags {
  std::string outdir = "out_demo";
};

struct DemoModel {
  const char* name;
  std::uint32_t runs;
  std::uint32_t warmup;
};
constexpr DemoModel kModels[] = {{"toy_cnn", 200, 20}, {"mobilenet_v3_small", 40, 3}};

// Whose portable export is mended at the end.
constexpr const char* kAdvised = "digits_mobilenet";
constexpr double kAdviceSeconds = 5;

struct Told {
  std::string program;
  std::string run_dir;
  analysis::Report report;
  std::optional<IsaPair> isas;
  bool agrees = false;
};

Result<ExportOutcome> export_step(const DemoModel& model, const std::string& outdir, const Console& console) {
  ExportRequest request;
  request.model = fmt::format("zoo:{}", model.name);
  request.backend = "xnnpack";
  request.outdir = outdir + "/artifacts";
  ETALON_TRY(ExportOutcome outcome, export_model(request));
  console.print(fmt::format("  export   {:>9}  {} ({:.1f} MB), {}\n", report::milliseconds(outcome.total_ms),
                            outcome.program_path, static_cast<double>(outcome.program_bytes) / 1e6,
                            outcome.record_path.empty() ? "no record" : "with .etrecord"));
  return outcome;
}

Result<bool> check_step(const ZooEntry& entry, const std::string& program, const Console& console) {
  ETALON_TRY(const OutputCheck check, check_outputs(entry, program));
  const bool agrees = check.worst_relative <= kTolerance;
  console.print(fmt::format(
      "  check    {} with PyTorch: {} outputs, largest difference {:.1e} of their magnitude\n",
      agrees ? console.green("  agrees") : console.red("differs "), check.values, check.worst_relative));
  if (check.accuracy) {
    console.print(fmt::format("  accuracy {:>9}  on {} digits it has not seen (PyTorch: {})\n",
                              report::percent(*check.accuracy), check.images,
                              report::percent(*entry.test_accuracy)));
  }
  return agrees;
}

measure::Experiment experiment_on(const DemoModel& model, const std::string& isa, const std::string& input) {
  measure::Experiment experiment;
  experiment.name = isa;
  experiment.engine = "native";
  experiment.isa = isa;
  experiment.runs = model.runs;
  experiment.warmup = model.warmup;
  experiment.inputs = {input};
  return experiment;
}

Result<std::optional<IsaPair>> choose_step(const std::string& program, const Console& console) {
  ETALON_TRY(std::optional<IsaPair> isas, find_isa_pair(program));
  if (isas) {
    console.print(fmt::format("  kernels  {:>9}  of {} operators run another kernel with {} than with {}\n", isas->changed,
                              isas->operators, isas->on, isas->off));
  } else {
    console.print("  kernels         no  instruction set of this machine changes any; one is measured\n");
  }
  return isas;
}

Result<SessionOutcome> profile_step(const DemoModel& model, const std::string& program, const std::optional<IsaPair>& isas,
                                    const std::string& input, const Console& console) {
  measure::Config config;
  config.model = program;
  if (isas) config.experiments.push_back(experiment_on(model, isas->off, input));
  config.experiments.push_back(experiment_on(model, isas ? isas->on : "auto", input));
  ETALON_CHECKED(measure::check_files(config));
  SessionOptions options;
  options.fresh = true;
  options.timeout_seconds = 120;
  targets::HostTarget target;
  ETALON_TRY(SessionOutcome outcome,
             run_session(config, options, target, [&](std::string_view, std::size_t done, std::size_t total) {
               console.progress("  profile", done, total);
             }));
  for (const analysis::RunResult& result : outcome.manifest.results) {
    if (result.status == "failed")
      return run_failed(
          fmt::format("{}: {} (log: {}/{})", model.name, result.error, outcome.run_dir, result.log));
    console.print(fmt::format("  profile  {:>9}  with {}: median of {} runs in separate processes\n",
                              report::milliseconds(result.median_ms.value_or(0)), result.experiment,
                              result.latency_ms.size()));
  }
  return outcome;
}

Result<Told> tell(const DemoModel& model, const Flags& flags, const Console& console) {
  ETALON_TRY(const ZooEntry entry, find_zoo_entry(model.name));
  console.print(fmt::format("{}: {}\n", console.bold(model.name), entry.description));
  const std::string outdir = fmt::format("{}/out_{}", flags.outdir, model.name);
  Told told;
  ETALON_TRY(const ExportOutcome exported, export_step(model, outdir, console));
  told.program = exported.program_path;
  const std::string input = outdir + "/artifacts/input_0.npy";
  ETALON_CHECKED(write_demo_input(entry, input));
  ETALON_TRY(told.agrees, check_step(entry, told.program, console));
  ETALON_TRY(told.isas, choose_step(told.program, console));
  ETALON_TRY(const SessionOutcome session, profile_step(model, told.program, told.isas, input, console));
  told.run_dir = session.run_dir;
  ETALON_TRY(told.report, analyze_and_write(session.run_dir, {}));
  console.print("\n");
  return told;
}

// What the extension gained, and what then dominates.
void conclude_on_off(const Told& told, const Console& console) {
  if (!told.isas || told.report.comparisons.empty()) return;
  const analysis::Comparison& pair = told.report.comparisons.front();
  console.print(fmt::format("  {} instead of {}: {} -> {}", told.isas->on, told.isas->off,
                            report::milliseconds(pair.baseline_ms), report::milliseconds(pair.candidate_ms)));
  if (pair.verdict) console.print(", " + verdict_line(*pair.verdict));
  console.print(fmt::format("\n  {} of {} operators ran another kernel\n", pair.kernels.changed, pair.kernels.compared));
}

void conclude(const Told& told, const Console& console) {
  console.print("\n" + console.bold("What was found") + "\n");
  conclude_on_off(told, console);
  if (!told.report.profiles.empty()) {
    const analysis::Profile& profile = told.report.profiles.back();
    if (!profile.categories.empty() && !profile.operators.empty()) {
      const analysis::CategoryRow& category = profile.categories.front();
      const analysis::OperatorRow& op = profile.operators.front();
      console.print(fmt::format(
          "  {} of {} is {}; the most expensive operator alone takes {}{}\n", report::percent(category.share),
          report::milliseconds(profile.accounting.end_to_end_ms), category.name, report::percent(op.share),
          op.source ? fmt::format(", from {}", op.source->text()) : std::string()));
    }
  }
  console.print(fmt::format("  written: {}/report.html\n", told.run_dir));
}

// The defect that people meet first: a model exported without a partitioner. Found, mended and measured.
Status advice_step(const Flags& flags, const Console& console) {
  AdviceRequest request;
  request.model = fmt::format("zoo:{}", kAdvised);
  request.start.backend = "portable";
  request.verify = true;
  request.seconds = kAdviceSeconds;
  request.most = 1;
  request.outdir = fmt::format("{}/out_{}_advice", flags.outdir, kAdvised);
  request.progress = [&](std::string_view what, std::size_t done, std::size_t all) { console.progress(what, done, all); };
  ETALON_TRY(const AdviceSession session, advise(request));
  console.print("\n" + console.bold(fmt::format("One piece of advice, tried on {} without delegation", kAdvised)) + "\n");
  for (const analysis::VerifiedAdvice& advice : session.tried) print_advice(advice, console);
  if (session.tried.empty()) console.print("  no finding proposes a change that can be applied\n");
  return {};
}

void print_next(const Told& told, const Console& console) {
  console.print("\n" + console.bold("Next") + "\n");
  console.print(
      fmt::format("  etalon profile {} --threads 1 --runs 100   measure it longer\n", told.program));
  console.print(fmt::format("  etalon inspect {} --kernels   every operator's kernel, and why not a better one\n", told.program));
  console.print(
      "  etalon export zoo:resnet18                 another built-in model ('etalon zoo' lists them)\n");
  console.print("  etalon export your_model.pt2               your own, saved with torch.export.save\n");
}

Result<int> run(const Flags& flags, const Console& console) {
  bool all_agree = true;
  Told last;
  for (const DemoModel& model : kModels) {
    ETALON_TRY(last, tell(model, flags, console));
    all_agree = all_agree && last.agrees;
  }
  console.print(terminal_report(last.report, console));
  conclude(last, console);
  ETALON_CHECKED(advice_step(flags, console));
  print_next(last, console);
  return all_agree ? kExitOk : kExitNo;
}

Action declare(CLI::App& app) {
  auto flags = std::make_shared<Flags>();
  app.add_option("--outdir", flags->outdir, "Folder for everything it writes")->capture_default_str();
  return [flags](Console& console) { return run(*flags, console); };
}

}  // namespace

extern const Command kDemoCommand;
const Command kDemoCommand = {"demo",
                              "Export, check, profile and explain two built-in models; needs no PyTorch",
                              "  etalon demo\n"
                              "  etalon demo --outdir my_demo",
                              declare};

}  // namespace etalon::cli
