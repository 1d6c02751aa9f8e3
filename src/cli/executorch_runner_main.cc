// etalon-executorch-runner: etalon-runner around ExecuTorch's own runtime and XNNPACK. Built where its SDK is; `etalon
// --engine executorch` starts it.
#include <fmt/core.h>

#include <memory>
#include <utility>

#include "backends/executorch/stock_runtime.h"
#include "cli/runner.h"
#include "ops/strided.h"

namespace etalon::cli {
namespace {

class StockEngine final : public RunnerEngine {
 public:
  Status configure(const RunnerFlags& flags, RunReport& report) override {
    if (!flags.engine.empty() && flags.engine != "executorch") {
      return invalid_input(fmt::format("--engine is '{}', this program is executorch; use etalon-runner", flags.engine));
    }
    report.engine = "executorch";
    report.engine_wanted = "executorch";
    report.engine_version = stock::version();
    report.engine_revision = stock::revision();
    report.isa_wanted = flags.isa;
    if (!flags.isa.empty() && flags.isa != "auto") {
      report.notes.push_back(fmt::format("isa {} was asked for, XNNPACK chooses by itself", flags.isa));
    }
    report.threads_wanted = flags.cpu_threads > 0 ? flags.cpu_threads : 0;
    report.threads = static_cast<int>(stock::set_threads(flags.cpu_threads));
    return {};
  }
  void prepare_recording(Recording recording) override {
    options_.record = recording != Recording::kNone;
    options_.operators = recording == Recording::kOperators;
  }
  Status open(Bytes program, Bytes data) override {
    ETALON_TRY(auto opened, stock::Program::open(program, data));
    program_ = std::make_unique<stock::Program>(std::move(opened));
    return {};
  }
  std::optional<std::size_t> external_keys() const override { return program_->external_keys(); }
  std::string first_method() const override { return program_->method_names().front(); }
  Status load(const std::string& method) override {
    ETALON_TRY(auto loaded, stock::Method::load(*program_, method, options_));
    method_ = std::make_unique<stock::Method>(std::move(loaded));
    inputs_.resize(method_->input_count());
    output_views_.resize(method_->output_count());
    outputs_.resize(method_->output_count());
    return read_input_specs();
  }
  std::vector<std::int64_t> planned_buffer_sizes() const override { return method_->planned_buffer_sizes(); }
  std::uint64_t memory_bytes() const override { return 0; }
  void record(bool on) override { method_->record(on); }
  Status write_events(const std::string& path) override { return method_->write_events(path); }
  std::vector<KernelRecord> kernels() const override { return {}; }

  std::size_t input_count() const override { return method_->input_count(); }
  std::optional<InputSpec> input(std::size_t i) const override { return specs_[i]; }
  // Tensors are copied in, in the dim order that the program wants; other values stay those that it stores.
  Status set_input(std::size_t i, const ops::Value& value) override {
    if (!value.is(ops::Value::Tag::kTensor) || !specs_[i]) return {};
    const TensorView& given = *value.as_tensor();
    const bool ordered = given.rank() == specs_[i]->order.size();
    ETALON_TRY(auto copy, runtime::Tensor::zeros(given.dtype(), given.sizes(),
                                                 ordered ? specs_[i]->order : contiguous_order(given.rank())));
    ops::copy_cast(given, copy.view());
    inputs_[i] = std::make_unique<runtime::Tensor>(std::move(copy));
    return method_->set_input(i, inputs_[i]->view());
  }
  Status execute() override {
    ETALON_CHECKED(method_->execute());
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      ETALON_TRY(const auto view, method_->output(i), fmt::format("output {}", i));
      if (view) output_views_[i] = *view;
      outputs_[i] = view ? ops::Value::of_tensor(&output_views_[i]) : ops::Value();
    }
    return {};
  }
  std::size_t output_count() const override { return outputs_.size(); }
  const ops::Value& output(std::size_t i) const override { return outputs_[i]; }

 private:
  Status read_input_specs() {
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      ETALON_TRY(const auto view, method_->input(i));
      specs_.emplace_back();
      if (view) specs_.back() = InputSpec{view->dtype(), view->sizes(), view->order(), false};
    }
    return {};
  }

  stock::Options options_;
  std::unique_ptr<stock::Program> program_;
  std::unique_ptr<stock::Method> method_;
  std::vector<std::optional<InputSpec>> specs_;
  std::vector<std::unique_ptr<runtime::Tensor>> inputs_;
  std::vector<TensorView> output_views_;
  std::vector<ops::Value> outputs_;
};

}  // namespace
}  // namespace etalon::cli

int main(int argc, char** argv) {
  etalon::cli::StockEngine engine;
  return etalon::cli::run_runner("etalon-executorch-runner", argc, argv, engine);
}
