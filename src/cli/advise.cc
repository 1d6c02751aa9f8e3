// `etalon advise`: what to change in a model or in how it is run, tried out and judged before it is recommended.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "analysis/advice_file.h"
#include "base/file.h"
#include "cli/advise/advisor.h"
#include "cli/advise/print.h"
#include "cli/advise/quantise.h"
#include "cli/advise/track_record.h"
#include "cli/command.h"
#include "cli/quant_report.h"
#include "cli/run_analysis.h"
#include "report/quantisation.h"
#include "report/text.h"

namespace etalon::cli {
namespace {

using analysis::VerifiedAdvice;

struct Flags {
  AdviceRequest request;
  bool history = false;
  bool json = false;
  bool quantise = false;
  SweepRequest sweep;
  CLI::App* app = nullptr;
};

void print_candidates(const std::vector<Candidate>& candidates, const Console& console) {
  console.print("\n" + console.bold("Advice, not tried") + "\n");
  for (const Candidate& candidate : candidates) {
    console.print(fmt::format("  {}: {}\n      {}; {}\n", candidate.rule, candidate.subject, command_of(candidate.remedy),
                              predicted(candidate.saving_low_ms, candidate.saving_high_ms)));
  }
  console.print("  --verify tries each against the model as it is, interleaved\n");
}

Result<int> print_history(const Console& console) {
  ETALON_TRY(const std::vector<RuleRecord> records, read_track_record());
  if (records.empty()) console.print("no advice was tried on this machine yet\n");
  for (const RuleRecord& record : records) {
    console.print(fmt::format("  {:28} tried {:3}, kept {:3}{}\n", record.rule, record.tried, record.kept,
                              record.predicted == 0 ? std::string()
                                                    : fmt::format(", prediction right in {} of {}", record.inside, record.predicted)));
  }
  return kExitOk;
}

void print_outcome(const AdviceSession& session, const Flags& flags, const Console& console) {
  if (session.tried.empty() && session.candidates.empty()) {
    console.print("nothing to advise: no finding proposes a change that can be applied\n");
  } else if (!flags.request.verify) {
    print_candidates(session.candidates, console);
  } else {
    console.print("\n" + console.bold("Advice, tried") + "\n");
    for (const VerifiedAdvice& advice : session.tried) print_advice(advice, console);
    console.print(fmt::format("  in the end: {} ({})\n", describe(session.best), session.best.program));
  }
  if (!session.run_dir.empty()) console.note(fmt::format("written to {}", session.run_dir));
}

// What the sweep shares with the other advice is taken from there.
Result<SweepRequest> sweep_request(const Flags& flags, const Console& console) {
  for (const char* name : {"--verify", "--dtype", "--math", "--input", "--max"}) {
    if (flags.app->count(name) > 0) return invalid_input(fmt::format("{} and --quantise do not go together", name));
  }
  SweepRequest sweep = flags.sweep;
  sweep.model = flags.request.model;
  if (sweep.model.ends_with(".pte"))
    return invalid_input(sweep.model + ": is a program; --quantise exports the model anew and needs the .pt2 or zoo:NAME");
  sweep.backend = flags.request.start.backend;
  sweep.engine = flags.request.start.engine;
  sweep.isa = flags.request.start.isa;
  sweep.threads = flags.request.start.threads;
  sweep.outdir = flags.request.outdir;
  if (flags.app->count("--seconds") > 0) sweep.seconds = flags.request.seconds;
  const bool labelled = !sweep.quantise.labels.empty();
  if (flags.app->count("--min-snr") > 0 || !(labelled || sweep.criterion.max_drop))
    sweep.criterion.min_snr_db = flags.request.limits.snr_db;
  if (labelled && !sweep.criterion.max_drop) sweep.criterion.max_drop = flags.request.limits.accuracy_drop;
  ETALON_CHECKED(check_quantise_request(sweep.quantise));
  ETALON_CHECKED(settle_data_flags(sweep.model, sweep.quantise));
  sweep.progress = [&console](std::string_view what, std::size_t done, std::size_t all) { console.progress(what, done, all); };
  return sweep;
}

Result<int> run_sweep(const Flags& flags, const Console& console) {
  ETALON_TRY(const SweepRequest request, sweep_request(flags, console));
  ETALON_TRY(const SweepOutcome outcome, sweep_quantisation(request));
  if (flags.json) {
    console.print(analysis::sweep_json(outcome.sweep));
    return kExitOk;
  }
  const report::Style style{.colour = console.colour()};
  constexpr std::size_t kLayersShown = 10;
  if (outcome.costs) console.print(report::write_layer_costs_terminal(*outcome.costs, style, kLayersShown) + "\n");
  if (outcome.sweep.random_data) console.warn("the data are random, which no real input looks like; give --calib");
  console.print(report::write_sweep_terminal(outcome.sweep, style));
  for (const std::string& file : outcome.kept) console.print(fmt::format("kept {}\n", file));
  console.note(fmt::format("written to {}: sweep.html, sweep.json, layer_costs.json (in layers), programs (in artifacts)", outcome.outdir));
  return kExitOk;
}

Result<int> run(const Flags& flags, const Console& console) {
  if (flags.history) return print_history(console);
  if (flags.request.model.empty()) return invalid_input("advise: a model is wanted: a .pt2, zoo:NAME, a .pte or a run folder");
  if (flags.quantise) return run_sweep(flags, console);
  for (const char* name : {"--calib", "--judge", "--labels", "--max-drop", "--keep"}) {
    if (flags.app->count(name) > 0) return invalid_input(fmt::format("{} is about --quantise, which is not given", name));
  }
  AdviceRequest request = flags.request;
  request.progress = [&](std::string_view what, std::size_t done, std::size_t all) { console.progress(what, done, all); };
  request.tell = [&](std::string_view line) { console.note(line); };
  ETALON_TRY(const AdviceSession session, advise(request));
  if (flags.json) {
    console.print(analysis::advice_json(session.tried));
  } else {
    console.print(terminal_report(session.report, console));
    print_outcome(session, flags, console);
  }
  return kExitOk;
}

Action declare(CLI::App& app) {
  auto flags = std::make_shared<Flags>();
  AdviceRequest& request = flags->request;
  Variant& start = request.start;
  flags->app = &app;
  app.add_option("model", request.model, "A .pt2, zoo:NAME, a .pte, or a run folder (whose findings are then listed)");
  app.add_flag("--verify", request.verify, "Apply each piece of advice, measure it, keep it or reject it");
  app.add_option("--seconds", request.seconds, "Measuring time of each piece of advice, or of --quantise in all (60), about")
      ->check(CLI::Range(0.5, 3600.0))
      ->capture_default_str();
  app.add_option("--max", request.most, "Pieces of advice that are tried")->check(CLI::Range(1U, 100U))->capture_default_str();
  app.add_option("--backend", start.backend, "How the model is exported to begin with")->capture_default_str();
  app.add_option("--dtype", start.dtype, "The same")->capture_default_str();
  app.add_option("--engine", start.engine, "How it is run to begin with");
  app.add_option("--isa", start.isa, "The same");
  app.add_option("--math", start.math, "The same");
  app.add_option("--threads", start.threads, "The same")->check(CLI::Range(1U, 1024U))->capture_default_str();
  app.add_option("--input", request.inputs, "Input files, one per model input (default: drawn)");
  app.add_option("--min-snr", request.limits.snr_db, "Of a change of dtype: signal over error that is wanted, in dB")->capture_default_str();
  app.add_option("--outdir", request.outdir, "Folder for everything it writes (default: out_<model>/advice)");
  app.add_flag("--quantise", flags->quantise, "Try fp32, fp16 and int8 in many forms: which are worth it in time and accuracy");
  CLI::App& sweep = *app.add_option_group("for --quantise");
  declare_data_flags(sweep, flags->sweep.quantise);
  sweep.add_option("--max-drop", flags->sweep.criterion.max_drop,
                   "Share of right classes (with --labels, 0.005 then) or of classes as in float that may be lost")
      ->check(CLI::Range(0.0, 1.0));
  sweep.add_option("-o,--keep", flags->sweep.keep, "Copy the programs that nothing beats into this folder");
  app.add_flag("--history", flags->history, "How often each rule was right on this machine");
  app.add_flag("--json", flags->json, "Machine output on stdout");
  return [flags](Console& console) { return run(*flags, console); };
}

}  // namespace

extern const Command kAdviseCommand;
const Command kAdviseCommand = {"advise",
                                "Say what to change, and with --verify try it: measured, checked, kept or rejected",
                                "  etalon advise zoo:mobilenet_v3_small --verify\n"
                                "  etalon advise model.pt2 --backend portable --verify --seconds 20\n"
                                "  etalon advise model.pte\n"
                                "  etalon advise zoo:mobilenet_v2 --quantise --calib photos/ --eval photos/ --min-snr 25\n"
                                "  etalon advise --history",
                                declare};

}  // namespace etalon::cli
