#include "cli/advise/advisor.h"

#include <fmt/core.h>

#include <thread>

#include "analysis/advice_file.h"
#include "base/file.h"
#include "cli/advise/track_record.h"
#include "cli/ceilings.h"
#include "cli/exporter.h"
#include "cli/model_facts.h"
#include "cli/profile_session.h"
#include "cli/run_analysis.h"
#include "measure/experiment.h"

namespace etalon::cli {
namespace {

using analysis::Remedy;
using analysis::RemedyKind;
using analysis::VerifiedAdvice;

void tell(const AdviceRequest& request, const std::string& line) {
  if (request.tell) request.tell(line);
}

std::string folder_of(const AdviceRequest& request) {
  return request.outdir.empty() ? fmt::format("out_{}/advice", model_stem(request.model)) : request.outdir;
}

bool is_program(const std::string& model) { return model.ends_with(".pte"); }

Result<analysis::Report> profile(const AdviceRequest& request, const Variant& variant, const std::string& run_dir) {
  measure::Config config;
  config.model = variant.program;
  config.output_root = run_dir;
  measure::Experiment experiment;
  experiment.name = "as_is";
  experiment.engine = variant.engine;
  experiment.isa = variant.isa;
  experiment.threads = {variant.threads};
  experiment.inputs = request.inputs;
  if (!variant.math.empty()) experiment.extra_args = {"--math=" + variant.math};
  config.experiments.push_back(std::move(experiment));
  ETALON_CHECKED(measure::check_files(config));
  targets::HostTarget target;
  ETALON_TRY(const SessionOutcome outcome,
             run_session(config, {}, target, [&](std::string_view label, std::size_t done, std::size_t total) {
               if (request.progress) request.progress(label, done, total);
             }));
  for (const analysis::RunResult& result : outcome.manifest.results) {
    if (result.status == "failed") return run_failed(fmt::format("{}: {}", variant.program, result.error));
  }
  return analyze_and_write(run_dir, {});
}

// What is worth a try whether or not a rule asks for it.
std::vector<Candidate> standard_trials(const Variant& start) {
  std::vector<Candidate> trials;
  const unsigned cpus = std::thread::hardware_concurrency();
  if (cpus > start.threads) {
    trials.push_back({"standard-trial", "all CPUs of this machine",
                      Remedy{RemedyKind::kThreads, fmt::format("{}", cpus), fmt::format("etalon run MODEL --threads {}", cpus)}, {}, {}});
  }
  const bool native = start.engine.empty() || start.engine == "native";
  if (native) {
    trials.push_back({"standard-trial", "weights packed ahead", Remedy{RemedyKind::kPrepack, "", "etalon prepack MODEL"}, {}, {}});
  }
  return trials;
}

void add_new(std::vector<Candidate> more, std::vector<Candidate>& candidates) {
  for (Candidate& candidate : more) {
    bool known = false;
    for (const Candidate& other : candidates) {
      known = known || (other.remedy.kind == candidate.remedy.kind && other.remedy.value == candidate.remedy.value);
    }
    if (!known) candidates.push_back(std::move(candidate));
  }
}

Status verify(const AdviceRequest& request, AdviceSession& session) {
  std::size_t number = 0;
  for (const Candidate& candidate : session.candidates) {
    if (number == request.most) break;
    TrialOptions options;
    options.inputs = request.inputs;
    options.folder = fmt::format("{}/advice_{}", session.run_dir, number++);
    options.seconds = request.seconds;
    options.limits = request.limits;
    if (request.model.starts_with("zoo:")) options.zoo_model = model_stem(request.model);
    options.progress = [&](std::string_view phase, std::uint32_t done, std::uint32_t all) {
      if (request.progress) request.progress(fmt::format("{} {}", candidate.rule, phase), done, all);
    };
    ETALON_TRY(Trial trial, try_candidate(candidate, session.best, options));
    if (trial.advice.outcome == analysis::AdviceOutcome::kKept) session.best = trial.variant;
    session.tried.push_back(std::move(trial.advice));
    ETALON_CHECKED(write_file(session.run_dir + "/advice.json", analysis::advice_json(session.tried)));
  }
  // Not worth failing for: the advice itself is in the run folder.
  const Status recorded = append_track_record(session.tried, request.model, session.report.manifest.generated_at);
  if (!recorded.ok()) tell(request, "the track record was not extended: " + recorded.error().message());
  return {};
}

Result<AdviceSession> from_folder(const AdviceRequest& request) {
  if (request.verify) return invalid_input(request.model + ": --verify needs the model, not a run folder");
  AdviceSession session;
  analysis::ReportOptions options;
  options.read_facts = read_model_facts;
  options.ceilings = stored_ceilings();
  ETALON_TRY(session.report, analysis::report_on_folder(request.model, options));
  session.candidates = candidates_of(session.report.findings);
  return session;
}

}  // namespace

Result<AdviceSession> advise(const AdviceRequest& request) {
  if (is_folder(request.model)) return from_folder(request);
  AdviceSession session;
  const std::string folder = folder_of(request);
  session.best = request.start;
  if (is_program(request.model)) {
    session.best.program = request.model;
  } else {
    session.best.source = request.model;
    ETALON_CHECKED(export_variant(session.best, folder + "/artifacts"));
  }
  tell(request, fmt::format("profiling {} ({})", session.best.program, describe(session.best)));
  session.run_dir = folder + "/runs";
  ETALON_TRY(session.report, profile(request, session.best, session.run_dir));
  session.candidates = candidates_of(session.report.findings);
  if (!request.verify) return session;
  add_new(standard_trials(session.best), session.candidates);
  ETALON_CHECKED(verify(request, session));
  ETALON_TRY(session.report, analyze_and_write(session.run_dir, {}));
  return session;
}

std::string verdict_line(const measure::Verdict& verdict) {
  const std::string interval =
      fmt::format("{:.0f} % interval {:.2f} to {:.2f}", verdict.confidence * 100, 1 / verdict.interval.high, 1 / verdict.interval.low);
  switch (verdict.claim) {
    case measure::Claim::kFaster: return fmt::format("{:.2f}x faster ({})", 1 / verdict.ratio, interval);
    case measure::Claim::kSlower: return fmt::format("slower: {:.2f}x the speed ({})", 1 / verdict.ratio, interval);
    case measure::Claim::kEquivalent: return fmt::format("no difference above {:.1f} %", verdict.equivalence_margin * 100);
    case measure::Claim::kInconclusive: break;
  }
  return fmt::format("inconclusive: {:.2f}x the speed ({})", 1 / verdict.ratio, interval);
}

}  // namespace etalon::cli
