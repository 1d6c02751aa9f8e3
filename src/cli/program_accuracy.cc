#include "cli/program_accuracy.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "cli/engine_choice.h"
#include "cli/tensor_files.h"
#include "ops/strided.h"
#include "quantize/agreement.h"
#include "runtime/module.h"

namespace etalon::cli {
namespace {

using Tag = ops::Value::Tag;
using runtime::Tensor;

// A loaded program with the engine behind it.
class Runner {
 public:
  static Result<std::unique_ptr<Runner>> load(const ProgramRun& run) {
    auto made = std::make_unique<Runner>();
    runtime::ModuleOptions options;
    RunReport report;
    ETALON_TRY(
        Engine engine,
        Engine::choose({.engine = run.engine, .isa = run.isa, .threads = run.threads, .math = run.math},
                       options.method, report));
    made->engine_.emplace(std::move(engine));
    ETALON_TRY(runtime::Module module, runtime::Module::load(run.program, options), run.program);
    made->module_.emplace(std::move(module));
    ETALON_TRY(made->method_, made->module_->method(), run.program);
    return made;
  }

  Status execute(const std::vector<Tensor>& sample) {
    std::size_t next = 0;
    for (std::size_t i = 0; i < method_->input_count(); ++i) {
      if (!method_->input(i).is(Tag::kTensor)) continue;
      if (next >= sample.size())
        return invalid_input(fmt::format("{} tensors in a sample, the program takes more", sample.size()));
      ETALON_CHECKED(set(i, sample[next++]));
    }
    return method_->execute();
  }

  // The first floating output in row-major order.
  Result<std::vector<float>> output() {
    ETALON_TRY(const TensorView* view, first_floating());
    ETALON_TRY(Tensor wide, Tensor::zeros(DType::kFloat32, view->sizes()));
    ops::copy_cast(*view, wide.view());
    const auto values = wide.elements<float>();
    return std::vector<float>(values.begin(), values.end());
  }

  // The classes of a row of scores; 0: the output is something else.
  Result<std::size_t> classes() {
    ETALON_TRY(const TensorView* view, first_floating());
    const Dims& sizes = view->sizes();
    return sizes.size() == 2 && sizes[1] > 1 ? static_cast<std::size_t>(sizes[1]) : std::size_t{0};
  }

 private:
  Status set(std::size_t input, const Tensor& given) {
    const DType wanted = input_spec(*method_, input).dtype;
    if (given.dtype() == wanted || !is_floating(wanted) || !is_floating(given.dtype())) {
      TensorView view = given.view();
      return method_->set_input(input, ops::Value::of_tensor(&view));
    }
    ETALON_TRY(Tensor converted, Tensor::zeros(wanted, given.sizes()));
    ops::copy_cast(given.view(), converted.view());
    return method_->set_input(input, ops::Value::of_tensor(&converted.view()));
  }

  Result<const TensorView*> first_floating() const {
    for (std::size_t i = 0; i < method_->output_count(); ++i) {
      if (!method_->output(i).is(Tag::kTensor)) continue;
      const TensorView* view = method_->output(i).as_tensor();
      if (is_floating(view->dtype())) return view;
    }
    return unsupported("the model has no floating output to judge");
  }

  std::optional<Engine> engine_;
  std::optional<runtime::Module> module_;
  runtime::Method* method_ = nullptr;  // of the module
};

void count_classes(std::span<const float> expected, std::span<const float> found, std::size_t classes,
                   std::span<const std::int64_t> labels, ProgramAccuracy& accuracy) {
  for (std::size_t at = 0; at + classes <= expected.size(); at += classes) {
    const std::size_t wanted = quantize::top1(expected.subspan(at, classes));
    const std::size_t got = quantize::top1(found.subspan(at, classes));
    *accuracy.agreeing += wanted == got ? 1 : 0;
    if (accuracy.right) *accuracy.right += static_cast<std::int64_t>(got) == labels[accuracy.rows] ? 1 : 0;
    ++accuracy.rows;
  }
}

ProgramAccuracy nothing_yet(std::size_t classes, bool labelled) {
  ProgramAccuracy accuracy;
  if (classes > 0) accuracy.agreeing = 0;
  if (classes > 0 && labelled) accuracy.right = 0;
  return accuracy;
}

void put(const quantize::Agreement& agreement, ProgramAccuracy& accuracy) {
  accuracy.snr_db = agreement.snr_db();
  if (accuracy.snr_db && std::isnan(*accuracy.snr_db)) accuracy.snr_db = -HUGE_VAL;  // a result is no number
  accuracy.cosine = agreement.cosine();
  accuracy.max_error = agreement.max_error();
}

}  // namespace

Result<FloatReference> FloatReference::run(const ProgramRun& reference, const Samples& samples,
                                           std::vector<std::int64_t> labels) {
  FloatReference made;
  made.samples_ = &samples;
  made.labels_ = std::move(labels);
  ETALON_TRY(const std::unique_ptr<Runner> runner, Runner::load(reference));
  std::size_t bytes = 0;
  std::size_t rows = 0;
  for (const auto& sample : samples.inputs) {
    ETALON_CHECKED(runner->execute(sample), reference.program);
    ETALON_TRY(std::vector<float> values, runner->output(), reference.program);
    if (!std::ranges::all_of(values, [](float x) { return std::isfinite(x); })) {
      return invalid_input(
          fmt::format("{}: gives NaN or infinity for sample {}, nothing can be held against that",
                      reference.program, made.outputs_.size()));
    }
    if (made.outputs_.empty()) {
      ETALON_TRY(made.classes_, runner->classes());
    }
    bytes += values.size() * sizeof(float);
    if (bytes > kMostBytes && !made.outputs_.empty()) break;
    rows += made.classes_ > 0 ? values.size() / made.classes_ : 0;
    made.outputs_.push_back(std::move(values));
  }
  if (!made.labels_.empty()) ETALON_CHECKED(check_classes(made.labels_, rows, made.classes_));
  made.itself_ = nothing_yet(made.classes_, !made.labels_.empty());
  quantize::Agreement agreement;
  for (const std::vector<float>& values : made.outputs_) {
    agreement.add(values, values);
    if (made.classes_ > 0) count_classes(values, values, made.classes_, made.labels_, made.itself_);
  }
  put(agreement, made.itself_);
  return made;
}

Result<ProgramAccuracy> FloatReference::judge(
    const ProgramRun& candidate, const std::function<void(std::size_t, std::size_t)>& progress) const {
  ETALON_TRY(const std::unique_ptr<Runner> runner, Runner::load(candidate));
  ProgramAccuracy accuracy = nothing_yet(classes_, !labels_.empty());
  quantize::Agreement agreement;
  for (std::size_t s = 0; s < outputs_.size(); ++s) {
    ETALON_CHECKED(runner->execute(samples_->inputs[s]), candidate.program);
    ETALON_TRY(const std::vector<float> values, runner->output(), candidate.program);
    if (values.size() != outputs_[s].size()) {
      return invalid_input(fmt::format("{}: gives {} values, the float program {}", candidate.program,
                                       values.size(), outputs_[s].size()));
    }
    agreement.add(outputs_[s], values);
    if (classes_ > 0) count_classes(outputs_[s], values, classes_, labels_, accuracy);
    if (progress) progress(s + 1, outputs_.size());
  }
  put(agreement, accuracy);
  return accuracy;
}

}  // namespace etalon::cli
