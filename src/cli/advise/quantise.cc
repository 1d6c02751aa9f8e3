#include "cli/advise/quantise.h"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <set>

#include "analysis/content_hash.h"
#include "base/file.h"
#include "cli/advise/quantise_candidates.h"
#include "cli/arms.h"
#include "cli/layer_costs.h"
#include "cli/program_accuracy.h"
#include "frontend/pt2/import.h"
#include "passes/pass.h"
#include "report/quantisation.h"

namespace etalon::cli {
namespace {

using analysis::SweepCandidate;

constexpr double kLayerShare = 0.2;  // of the seconds: recording operators for the costs of layers
constexpr std::size_t kFloat = 0;    // of uniform_forms()
constexpr std::size_t kInt8 = 1;

class Sweep {
 public:
  explicit Sweep(const SweepRequest& request) : request_(request) {}

  Result<SweepOutcome> run() {
    outcome_.outdir = request_.outdir.empty() ? fmt::format("out_{}/quantise", model_stem(request_.model))
                                              : request_.outdir;
    artifacts_ = outcome_.outdir + "/artifacts";
    ETALON_CHECKED(make_directories(artifacts_));
    describe();
    ETALON_CHECKED(prepare());
    ETALON_CHECKED(try_forms());
    ETALON_CHECKED(measure_all());
    ETALON_CHECKED(write());
    ETALON_CHECKED(keep());
    return std::move(outcome_);
  }

 private:
  void describe();
  Status prepare();
  Result<Samples> judged_samples() const;
  Status try_forms();
  Status try_form(const SweepForm& form);
  Status leave_out(const SweepForm& form, Error error);
  Status add(const SweepForm& form, const std::string& program);
  Status measure_all();
  Status write() const;
  Status keep();
  ProgramRun run_of(const SweepForm& form, const std::string& program) const;
  bool is_executorch() const { return request_.engine == "executorch"; }
  void progress(std::string_view what, std::size_t done, std::size_t all) const {
    if (request_.progress) request_.progress(what, done, all);
  }

  const SweepRequest& request_;
  std::string artifacts_;
  Samples samples_;
  std::optional<FloatReference> reference_;
  std::set<std::string> known_;   // hashes of programs with how they are run
  std::vector<SweepForm> forms_;  // of the candidates
  std::optional<Error> int8_error_;
  SweepOutcome outcome_;
};

void Sweep::describe() {
  analysis::QuantisationSweep& sweep = outcome_.sweep;
  sweep.model = request_.model;
  sweep.criterion = request_.criterion;
  sweep.machine =
      fmt::format("{} engine, {} thread{}, backend {}", request_.engine.empty() ? "native" : request_.engine,
                  request_.threads, request_.threads == 1 ? "" : "s", request_.backend);
  if (!request_.isa.empty()) sweep.machine += ", at most " + request_.isa;
  sweep.has_labels = !request_.quantise.labels.empty();
  if (is_executorch())
    sweep.notes.emplace_back(
        "accuracy is that of the native engine, which runs the same files; times are ExecuTorch's");
}

ProgramRun Sweep::run_of(const SweepForm& form, const std::string& program) const {
  ProgramRun run;
  run.program = program;
  if (!is_executorch()) run.engine = request_.engine;
  run.isa = request_.isa;
  run.math = form.math;
  return run;
}

Result<Samples> Sweep::judged_samples() const {
  ETALON_TRY(const std::string path, resolve_model(request_.model));
  ETALON_TRY(const MappedFile file, MappedFile::open(path));
  ETALON_TRY(frontend::Imported imported, frontend::import_pt2(file.bytes()), path);
  if (imported.methods.size() != 1)
    return unsupported(
        fmt::format("{}: has {} methods, and the data are for one", path, imported.methods.size()));
  ir::Graph& graph = imported.methods.front();
  const auto records = passes::run_pipeline(graph, {});
  if (!records.ok()) return Error(records.error()).with_context(path);
  DataRequest data = request_.quantise.data;
  if (!request_.quantise.judge.empty()) {
    data.sources = request_.quantise.judge;
    data.max_samples = std::numeric_limits<std::size_t>::max();
  }
  if (data.sources.empty()) {
    return invalid_input(
        "a sweep needs data to calibrate and judge on: --calib with an .npy file, a folder of .npy files or "
        "of images, or "
        "--calib random (numbers then hold for random data only)");
  }
  return load_samples(graph, data);
}

// The data and the float program, without which nothing can be tried.
Status Sweep::prepare() {
  progress("reading the data", 0, 1);
  ETALON_TRY(samples_, judged_samples());
  std::vector<std::int64_t> labels;
  if (!request_.quantise.labels.empty()) {
    ETALON_TRY(labels, load_classes(request_.quantise.labels));
  }
  const SweepForm form = uniform_forms()[kFloat];
  ETALON_TRY(const ExportOutcome exported, export_model(export_request(form, request_.model, request_.backend,
                                                                       request_.quantise, artifacts_)));
  if (exported.drawn_weights)
    outcome_.sweep.notes.emplace_back(
        "the weights were drawn at random: accuracies tell how int8 rounds, and nothing of a real model");
  ETALON_TRY(FloatReference reference,
             FloatReference::run(run_of(form, exported.program_path), samples_, std::move(labels)));
  reference_.emplace(std::move(reference));
  analysis::QuantisationSweep& sweep = outcome_.sweep;
  sweep.samples = reference_->itself().agreeing ? reference_->itself().rows : reference_->samples();
  sweep.judged_on = samples_.description;
  if (reference_->samples() < samples_.inputs.size())
    sweep.notes.push_back(
        fmt::format("judged on the first {} samples, whose outputs fill the memory set aside for them",
                    reference_->samples()));
  sweep.random_data =
      samples_.is_random || request_.quantise.data.sources == std::vector<std::string>{"random"};
  progress("reading the data", 1, 1);
  return add(form, exported.program_path);
}

Status Sweep::leave_out(const SweepForm& form, Error error) {
  // Data that cannot be read cannot be read by any other form either.
  const bool is_data = error.code() == ErrorCode::kInvalidInput || error.code() == ErrorCode::kNotFound;
  if (form.name == uniform_forms()[kInt8].name) {
    if (is_data) return error;
    int8_error_ = error;
  }
  outcome_.sweep.left_out.emplace_back(form.name, error.message());
  return {};
}

// A program that is the same as one before is not tried again.
Status Sweep::add(const SweepForm& form, const std::string& program) {
  ETALON_TRY(const std::string hash, analysis::hash_file(program));
  if (!known_.insert(hash + form.math).second) {
    outcome_.sweep.left_out.emplace_back(form.name, "the same program as one before it");
    return {};
  }
  SweepCandidate candidate;
  candidate.name = form.name;
  candidate.what = form.what();
  candidate.command = form.command();
  candidate.program = program;
  ETALON_TRY(const MappedFile file, MappedFile::open(program));
  candidate.bytes = file.bytes().size();
  const std::string label = "judging " + form.name;
  const auto accuracy = reference_->judge(
      run_of(form, program), [&](std::size_t done, std::size_t all) { progress(label, done, all); });
  if (!accuracy.ok()) return leave_out(form, accuracy.error());
  candidate.snr_db = accuracy->snr_db;
  candidate.cosine = accuracy->cosine;
  candidate.max_error = accuracy->max_error;
  candidate.agreeing = accuracy->agreeing;
  candidate.right = accuracy->right;
  outcome_.sweep.candidates.push_back(std::move(candidate));
  forms_.push_back(form);
  return {};
}

Status Sweep::try_form(const SweepForm& form) {
  if (!form.math.empty()) {
    if (is_executorch()) {
      outcome_.sweep.left_out.emplace_back(form.name, "--math is about the native engine");
      return {};
    }
    return add(form, outcome_.sweep.candidates[kFloat].program);
  }
  const bool is_base = form.name == uniform_forms()[kInt8].name;
  ExportRequest request =
      export_request(form, request_.model, request_.backend, request_.quantise, artifacts_);
  // The base form is explained, layer by layer, on the data it was calibrated with.
  request.quantise.assess = request.quantise.explain = is_base;
  if (is_base) {
    request.quantise.judge.clear();
    request.quantise.labels.clear();
  }
  request.quantise_progress = [&](std::string_view what, std::size_t done, std::size_t all) {
    progress(fmt::format("{}: {}", form.name, what), done, all);
  };
  const auto exported = export_model(request);
  if (!exported.ok()) return leave_out(form, exported.error());
  if (is_base && exported->methods.front().quantisation) {
    outcome_.sweep.calibrated_on = exported->methods.front().quantisation->data;
    ETALON_CHECKED(add(form, exported->program_path));
    LayerCostsRequest costs;
    costs.engine = request_.engine;
    costs.isa = request_.isa;
    costs.threads = request_.threads;
    costs.seconds = kLayerShare * request_.seconds;
    costs.run_dir = outcome_.outdir + "/layers";
    costs.progress = [&](std::string_view what, std::size_t done, std::size_t all) {
      progress(fmt::format("costs of layers: {}", what), done, all);
    };
    auto measured = layer_costs_of(request, *exported, costs);
    if (!measured.ok()) {
      outcome_.sweep.notes.push_back("costs of layers are not known: " + measured.error().message());
      return {};
    }
    outcome_.costs = std::move(measured).value();
    return {};
  }
  return add(form, exported->program_path);
}

Status Sweep::try_forms() {
  std::vector<SweepForm> forms = uniform_forms();
  std::size_t tried = kFloat + 1;
  for (; tried < forms.size(); ++tried) {
    progress("candidates", tried, forms.size());
    ETALON_CHECKED(try_form(forms[tried]));
    if (tried != kInt8 || !outcome_.costs) continue;
    const std::vector<SweepForm> mixed = mixed_forms(*outcome_.costs);
    forms.insert(forms.begin() + kInt8 + 1, mixed.begin(), mixed.end());
  }
  progress("candidates", tried, forms.size());
  const bool any_int8 = std::ranges::any_of(forms_, [](const SweepForm& form) { return form.is_int8(); });
  if (!any_int8 && int8_error_) return *int8_error_;
  return {};
}

Status Sweep::measure_all() {
  std::vector<ArmRequest> arms;
  for (std::size_t i = 0; i < forms_.size(); ++i) {
    ArmRequest arm;
    arm.name = forms_[i].name;
    arm.model = outcome_.sweep.candidates[i].program;
    arm.engine = request_.engine;
    arm.isa = request_.isa;
    arm.math = forms_[i].math;
    arm.threads = request_.threads;
    arms.push_back(std::move(arm));
  }
  ArmsOptions options;
  options.plan = plan_for_seconds((outcome_.costs ? 1 - kLayerShare : 1) * request_.seconds);
  options.samples_path = outcome_.outdir + "/samples.json";
  options.progress = [&](std::string_view phase, std::uint32_t done, std::uint32_t all) {
    progress(phase == "control" ? "control: fp32 against itself" : "timing", done, all);
  };
  ETALON_TRY(const measure::SessionOutcome measured, measure_arms(arms, options));
  return analysis::judge_sweep(measured.recording, measured.judgement, outcome_.sweep);
}

Status Sweep::write() const {
  ETALON_CHECKED(write_file(outcome_.outdir + "/sweep.json", analysis::sweep_json(outcome_.sweep)));
  return write_file(outcome_.outdir + "/sweep.html", report::write_sweep_html(outcome_.sweep));
}

// Programs that nothing beats, and their records, under their own names.
Status Sweep::keep() {
  if (request_.keep.empty()) return {};
  ETALON_CHECKED(make_directories(request_.keep));
  for (const SweepCandidate& candidate : outcome_.sweep.candidates) {
    if (candidate.dominated_by) continue;
    for (const char* ending : {"", ".etrecord"}) {
      const std::filesystem::path from = candidate.program + ending;
      const std::filesystem::path to = std::filesystem::path(request_.keep) / from.filename();
      std::error_code error;
      if (!std::filesystem::exists(from, error)) continue;
      std::filesystem::copy_file(from, to, std::filesystem::copy_options::overwrite_existing, error);
      if (error) return io_error(fmt::format("{}: {}", to.string(), error.message()));
      if (*ending == '\0' && std::ranges::find(outcome_.kept, to.string()) == outcome_.kept.end())
        outcome_.kept.push_back(to.string());
    }
  }
  return {};
}

}  // namespace

Result<SweepOutcome> sweep_quantisation(const SweepRequest& request) { return Sweep(request).run(); }

}  // namespace etalon::cli
