// etalon-runner: loads one .pte, runs it, writes an ETDump. Small, and a drop-in for ExecuTorch's executor_runner: its
// flags, its log lines on stderr, outputs on stdout.
#include <memory>
#include <utility>

#include "cli/engine_choice.h"
#include "cli/runner.h"
#include "runtime/module.h"
#include "trace/etdump_recorder.h"

namespace etalon::cli {
namespace {

// Our runtime, with the kernels that --engine and --isa ask for.
class OwnEngine final : public RunnerEngine {
 public:
  Status configure(const RunnerFlags& flags, RunReport& report) override {
    ETALON_TRY(engine_, Engine::choose({flags.engine, flags.isa, flags.cpu_threads, flags.math}, options_, report));
    path_ = flags.model_path;
    report_ = &report;
    return {};
  }
  void prepare_recording(Recording recording) override {
    if (recording == Recording::kNone) return;
    recorder_ = std::make_unique<trace::EtdumpRecorder>(recording == Recording::kOperators
                                                            ? runtime::TraceDetail::kInstructions
                                                            : runtime::TraceDetail::kMethods);
    options_.tracer = recorder_.get();
  }
  Status open(Bytes program, Bytes data) override {
    engine_.use_packed(path_, *report_);
    ETALON_TRY(auto opened, runtime::Program::from_bytes(program, data));
    program_ = std::make_unique<runtime::Program>(std::move(opened));
    return {};
  }
  std::optional<std::size_t> external_keys() const override {
    if (program_->external_data() == nullptr) return std::nullopt;
    return program_->external_data()->entries.size();
  }
  std::string first_method() const override { return program_->method_names().front(); }
  Status load(const std::string& method) override {
    ETALON_TRY(auto loaded, runtime::Method::load(*program_, method, options_));
    method_ = std::make_unique<runtime::Method>(std::move(loaded));
    if (recorder_ != nullptr) recorder_->describe_kernels(*method_);
    return {};
  }
  std::vector<std::int64_t> planned_buffer_sizes() const override {
    const auto sizes = method_->planned_buffer_sizes();
    return {sizes.begin(), sizes.end()};
  }
  std::uint64_t memory_bytes() const override { return method_->memory_bytes(); }
  std::optional<std::uint64_t> packed_bytes() const override { return method_->packed_bytes(); }
  void record(bool on) override { method_->set_tracer(on ? recorder_.get() : nullptr); }
  Status write_events(const std::string& path) override { return recorder_->write(path); }
  std::vector<KernelRecord> kernels() const override { return kernel_records(*method_); }

  std::size_t input_count() const override { return method_->input_count(); }
  std::optional<InputSpec> input(std::size_t i) const override {
    if (!method_->input(i).is(ops::Value::Tag::kTensor)) return std::nullopt;
    return input_spec(*method_, i);
  }
  Status set_input(std::size_t i, const ops::Value& value) override { return method_->set_input(i, value); }
  Status execute() override { return method_->execute(); }
  std::size_t output_count() const override { return method_->output_count(); }
  const ops::Value& output(std::size_t i) const override { return method_->output(i); }

 private:
  std::string path_;
  RunReport* report_ = nullptr;  // outlives this run
  Engine engine_;
  runtime::MethodOptions options_;
  std::unique_ptr<trace::EtdumpRecorder> recorder_;
  std::unique_ptr<runtime::Program> program_;
  std::unique_ptr<runtime::Method> method_;
};

}  // namespace
}  // namespace etalon::cli

int main(int argc, char** argv) {
  etalon::cli::OwnEngine engine;
  return etalon::cli::run_runner("etalon-runner", argc, argv, engine);
}
