// `etalon profile`: runs experiments, then analyses them.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/command.h"
#include "cli/profile_session.h"
#include "cli/run_analysis.h"
#include "report/writers.h"

namespace etalon::cli {
namespace {

struct Flags {
  std::string path;
  std::string output_root;
  std::string runner;
  std::string mode = "timing";
  std::vector<std::string> engines;
  std::vector<std::string> isas;
  std::string etrecord;
  std::vector<std::string> inputs;
  std::vector<std::uint32_t> threads = {1};
  std::vector<std::string> only;
  std::uint32_t runs = 100;
  std::uint32_t warmup = 10;
  double timeout = 900;
  bool fresh = false;
  bool json = false;
  CLI::App* app = nullptr;
};

measure::Mode mode_of(const std::string& name) {
  for (const measure::Mode mode : {measure::Mode::kOps, measure::Mode::kKernels, measure::Mode::kXnntrace}) {
    if (measure::mode_name(mode) == name) return mode;
  }
  return measure::Mode::kTiming;
}

// These describe the one experiment of a bare model; a configuration says them itself.
Status refuse_model_flags(const Flags& flags) {
  for (const char* name :
       {"--runs", "--warmup", "--threads", "--engine", "--isa", "--runner", "--mode", "--input"}) {
    if (flags.app->count(name) > 0) {
      return invalid_input(fmt::format("{} belongs to a model; {} says it per experiment", name, flags.path));
    }
  }
  return {};
}

// "native_avx2": a folder, of what tells the experiments of one command apart.
std::string experiment_name(const std::string& engine, const std::string& isa) {
  if (engine.empty() || isa.empty()) return engine + isa;
  return engine + "_" + isa;
}

// One experiment for each engine with each instruction set.
std::vector<measure::Experiment> experiments_of(const Flags& flags) {
  measure::Experiment experiment;
  experiment.runner_path = flags.runner;
  experiment.mode = mode_of(flags.mode);
  experiment.runs = flags.runs;
  experiment.warmup = flags.warmup;
  experiment.threads = flags.threads;
  experiment.inputs = flags.inputs;
  const std::vector<std::string> unnamed = {""};
  std::vector<measure::Experiment> experiments;
  for (const std::string& engine : flags.engines.empty() ? unnamed : flags.engines) {
    for (const std::string& isa : flags.isas.empty() ? unnamed : flags.isas) {
      experiment.engine = engine;
      experiment.isa = isa;
      // One instruction set or engine alone changes nothing about where its results are.
      experiment.name = experiment_name(engine, flags.isas.size() > 1 ? isa : "");
      if (experiment.name.empty()) experiment.name = "default";
      experiments.push_back(experiment);
    }
  }
  return experiments;
}

Status refuse_twins(const std::vector<measure::Experiment>& experiments) {
  for (std::size_t i = 0; i < experiments.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (experiments[i].name != experiments[j].name) continue;
      return invalid_input(fmt::format("--engine, --isa: {} is named twice", experiments[i].name));
    }
  }
  return {};
}

Result<measure::Config> config_of(const Flags& flags) {
  if (flags.path.ends_with(".json")) {
    ETALON_CHECKED(refuse_model_flags(flags));
    return measure::load_config(flags.path);
  }
  measure::Config config;
  config.model = flags.path;
  config.experiments = experiments_of(flags);
  ETALON_CHECKED(refuse_twins(config.experiments));
  return config;
}

// What people must know before they believe a number.
void tell_concerns(const analysis::Manifest& manifest, const Console& console) {
  for (const analysis::MachineConcern& concern : manifest.concerns) {
    if (concern.concern != "note") {
      console.note(fmt::format("machine: {}: {}", concern.found, concern.why));
    }
  }
  for (const std::string& note : manifest.notes) console.note("note: " + note);
}

Result<int> run(const Flags& flags, const Console& console) {
  ETALON_TRY(measure::Config config, config_of(flags));
  if (!flags.output_root.empty()) config.output_root = flags.output_root;
  const Status checked = measure::check_files(config);
  if (!checked.ok())
    return config.path.empty() ? checked.error() : Error(checked.error()).with_context(config.path);
  SessionOptions options;
  options.timeout_seconds = flags.timeout;
  options.fresh = flags.fresh;
  options.only = flags.only;
  targets::HostTarget target;
  ETALON_TRY(
      const SessionOutcome outcome,
      run_session(config, options, target, [&](std::string_view label, std::size_t done, std::size_t total) {
        console.progress(label, done, total);
      }));
  if (outcome.reused > 0) {
    console.note(fmt::format(
        "{} of {} runs were finished before (same model, runner and settings); --fresh measures again",
        outcome.reused, outcome.manifest.results.size()));
  }
  tell_concerns(outcome.manifest, console);
  ETALON_TRY(const analysis::Report report, analyze_and_write(outcome.run_dir, {flags.etrecord}));
  console.print(flags.json ? report::write_json(report) : terminal_report(report, console));
  console.note(fmt::format("\nwritten to {}: report.md, report.html, analysis_summary.json, manifest.json, metrics.json",
                           outcome.run_dir));
  if (outcome.failed == 0) return kExitOk;
  for (const analysis::RunResult& result : outcome.manifest.results) {
    if (result.status != "failed") continue;
    return run_failed(fmt::format("{} of {} runs failed, the others are kept; {}: {} (log: {}/{})",
                                  outcome.failed, outcome.manifest.results.size(),
                                  analysis::run_name(result.experiment, result.threads), result.error,
                                  outcome.run_dir, result.log));
  }
  return kExitOk;
}

Action declare(CLI::App& app) {
  auto flags = std::make_shared<Flags>();
  flags->app = &app;
  app.add_option("config_or_model", flags->path, "CONFIG.json with experiments, or a MODEL.pte")->required();
  app.add_option("-o,--output-root", flags->output_root,
                 "Where results go (default: out_<model>/runs/<system>)");
  app.add_option("--only", flags->only, "Run these experiments of the configuration")->delimiter(',');
  app.add_option("--timeout", flags->timeout, "Seconds after which one runner process is ended")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_flag("--fresh", flags->fresh, "Measure again what an earlier session finished");
  app.add_option("--etrecord", flags->etrecord, "Export record for source lines (default: <model>.etrecord)");
  app.add_flag("--json", flags->json, "Print the analysis as JSON");
  const char* group = "For a MODEL.pte";
  app.add_option("--runs", flags->runs, "Measured iterations")
      ->group(group)
      ->check(CLI::Range(1U, 1'000'000U))
      ->capture_default_str();
  app.add_option("--warmup", flags->warmup, "Iterations before them, in the same process")
      ->group(group)
      ->check(CLI::Range(0U, 1'000'000U))
      ->capture_default_str();
  app.add_option("--threads", flags->threads, "One run per number")
      ->group(group)
      ->delimiter(',')
      ->check(CLI::Range(1U, 1024U));
  app.add_option("--mode", flags->mode, "What is recorded")
      ->group(group)
      ->check(CLI::IsMember({"timing", "ops", "kernels", "xnntrace"}))
      ->capture_default_str();
  app.add_option("--engine", flags->engines, "Engines of our runner, one experiment each")->group(group)->delimiter(',');
  app.add_option("--isa", flags->isas, "Highest instruction sets of our runner, one experiment each")
      ->group(group)
      ->delimiter(',');
  app.add_option("--runner", flags->runner, "Any executor_runner instead of ours")->group(group);
  app.add_option("--input", flags->inputs, "Input files, one per model input")->group(group);
  return [flags](Console& console) { return run(*flags, console); };
}

}  // namespace

extern const Command kProfileCommand;
const Command kProfileCommand = {"profile",
                                 "Run experiments as separate processes and explain where the time goes",
                                 "  etalon profile model.pte\n"
                                 "  etalon profile model.pte --threads 1,2,4 --runs 200\n"
                                 "  etalon profile model.pte --isa avx2,auto\n"
                                 "  etalon profile experiments.json",
                                 declare};

}  // namespace etalon::cli
