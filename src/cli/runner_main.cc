// etalon-runner: loads one .pte, runs it, writes an ETDump. Small, and a drop-in for ExecuTorch's executor_runner: its
// flags, its log lines on stderr, outputs on stdout.
#include <fmt/core.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <iostream>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "cli/bundled_check.h"
#include "cli/command.h"
#include "cli/engine_choice.h"
#include "cli/interrupt.h"
#include "cli/print_value.h"
#include "cli/run_report.h"
#include "cli/runner_flags.h"
#include "cli/runner_log.h"
#include "cli/streams.h"
#include "cli/tensor_files.h"
#include "platform/affinity.h"
#include "platform/clock.h"
#include "runtime/module.h"
#include "trace/etdump_recorder.h"

namespace etalon::cli {
namespace {

using Tag = ops::Value::Tag;

// finish_stdout() tells whether it arrived.
void put(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

// A failure of the run itself, as opposed to a wrong flag or file.
Error as_run_failure(const Error& error) {
  if (error.code() == ErrorCode::kInternal) return error;
  return run_failed(error.message());
}

class Runner {
 public:
  explicit Runner(RunnerFlags flags) : flags_(std::move(flags)) {}

  Result<int> run() {
    ETALON_CHECKED(prepare());
    ETALON_CHECKED(load());
    ETALON_CHECKED(flags_.server_mode ? serve() : run_once());
    ETALON_CHECKED(write_events());
    ETALON_TRY(const int code, check_bundle());
    ETALON_CHECKED(write_report());
    return code;
  }

 private:
  Status prepare() {
    if (flags_.server_mode && flags_.output_file.empty()) {
      return invalid_input("--server_mode requires --output_file");
    }
    if (!flags_.cpu_affinity.empty()) {
      ETALON_TRY(const auto cpus, platform::parse_cpu_mask(flags_.cpu_affinity), "--cpu_affinity");
      ETALON_CHECKED(platform::set_affinity(cpus), "--cpu_affinity");
    }
    ETALON_CHECKED(choose_engine(flags_.engine, flags_.isa, options_, report_));
    choose_threads(flags_.cpu_threads, report_);
    report_.warmup = flags_.warmup;
    report_.model = flags_.model_path;
    make_recorder();
    ETALON_LOG_INFO("Resetting threadpool with num threads = {}", report_.threads);
    for (const std::string& note : report_.notes) ETALON_LOG_INFO("{}", note);
    if (!flags_.inputs.empty()) ETALON_LOG_INFO("Loading inputs from input file(s).");
    return {};
  }

  // --trace off together with --etdump_path records the runs as wholes, which costs nothing per operator.
  void make_recorder() {
    if (flags_.trace.empty()) flags_.trace = flags_.etdump_path.empty() ? "off" : "ops";
    const bool traced = flags_.trace != "off";
    if (!traced && flags_.etdump_path.empty()) return;
    if (flags_.etdump_path.empty()) flags_.etdump_path = "model.etdump";
    recorder_ = std::make_unique<trace::EtdumpRecorder>(traced ? runtime::TraceDetail::kInstructions
                                                               : runtime::TraceDetail::kMethods);
    options_.tracer = recorder_.get();
  }

  Status load() {
    const std::uint64_t start = platform::now_ns();
    ETALON_CHECKED(open_files());
    method_name_ = flags_.method_name.empty() ? program_->method_names().front() : flags_.method_name;
    report_.method = method_name_;
    ETALON_LOG_INFO("Using method {}", method_name_);
    auto method = runtime::Method::load(*program_, method_name_, options_);
    if (!method.ok()) {
      ETALON_LOG_ERROR("Loading of method {} failed with status {}", method_name_, status_number(method.error()));
      return method.take_error().with_context(flags_.model_path);
    }
    method_ = std::make_unique<runtime::Method>(std::move(*method));
    report_.load_ms = platform::ns_to_ms(platform::now_ns() - start);
    report_.memory_bytes = method_->memory_bytes();
    const auto buffers = method_->planned_buffer_sizes();
    for (std::size_t i = 0; i < buffers.size(); ++i) {
      ETALON_LOG_INFO("Setting up CPU planned buffer {}, size {}.", i, buffers[i]);
    }
    ETALON_LOG_INFO("Model loaded in {:f} ms.", report_.load_ms);
    return {};
  }

  Status open_files() {
    ETALON_TRY(MappedFile file, MappedFile::open(flags_.model_path));
    model_.push_back(std::move(file));
    Bytes program = model_[0].bytes();
    constexpr std::string_view kBundleMagic = "BP08";
    const auto magic = slice(program, 4, 4);
    if (magic && as_text(*magic) == kBundleMagic) {
      ETALON_TRY(auto bundle, formats::bpte::decode(program), flags_.model_path);
      bundle_ = std::make_unique<formats::bpte::BundledProgram>(std::move(bundle));
      program = bundle_->program;
    }
    Bytes data;
    if (!flags_.data_path.empty()) {
      ETALON_LOG_INFO("Loading tensor data from .ptd file.");
      ETALON_TRY(MappedFile external, MappedFile::open(flags_.data_path));
      if (external.bytes().empty()) return invalid_input(flags_.data_path + ": the file is empty");
      model_.push_back(std::move(external));
      data = model_.back().bytes();
    }
    auto loaded = runtime::Program::from_bytes(program, data);
    if (!loaded.ok()) {
      ETALON_LOG_ERROR("Failed to parse model file {}", flags_.model_path);
      return loaded.take_error().with_context(flags_.model_path);
    }
    program_ = std::make_unique<runtime::Program>(std::move(*loaded));
    if (program_->external_data() != nullptr) {
      ETALON_LOG_INFO("PTD file {} is loaded.", flags_.data_path);
      ETALON_LOG_INFO("PTD data map created with {} keys.", program_->external_data()->entries.size());
    }
    ETALON_LOG_INFO("Model file {} is loaded.", flags_.model_path);
    return {};
  }

  // ExecuTorch's number for the kind of error.
  static std::string_view status_number(const Error& error) {
    switch (error.code()) {
      case ErrorCode::kInvalidInput: return "0x23";
      case ErrorCode::kUnsupported: return "0x14";
      case ErrorCode::kNotFound: return "0x20";
      case ErrorCode::kIo: return "0x22";
      case ErrorCode::kResource: return "0x21";
      case ErrorCode::kRunFailed: return "0x12";
      case ErrorCode::kInternal: break;
    }
    return "0x1";
  }

  Status read_inputs() {
    const auto files = split_by_commas(flags_.inputs);
    if (!files.empty() && files.size() != method_->input_count()) {
      return invalid_input(fmt::format("--inputs: {} files given, the method takes {} inputs", files.size(),
                                       method_->input_count()));
    }
    inputs_.clear();
    for (std::size_t i = 0; i < method_->input_count(); ++i) {
      if (!method_->input(i).is(Tag::kTensor)) {
        inputs_.emplace_back();
        continue;
      }
      const InputSpec spec = input_spec(*method_, i);
      if (files.empty()) {
        ETALON_TRY(auto filled, ones(spec), fmt::format("input {}", i));
        inputs_.push_back(std::make_unique<runtime::Tensor>(std::move(filled)));
      } else {
        ETALON_TRY(auto tensor, read_tensor(files[i], spec), fmt::format("input {}", i));
        inputs_.push_back(std::make_unique<runtime::Tensor>(std::move(tensor)));
      }
    }
    return {};
  }

  // Again before every run, because a program may reuse the memory of its inputs.
  Status set_inputs() {
    if (const auto* test = bundled_test()) return set_bundled_inputs(*method_, *test);
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      if (inputs_[i] == nullptr) continue;
      ETALON_CHECKED(method_->set_input(i, ops::Value::of_tensor(&inputs_[i]->view())));
    }
    return {};
  }

  const formats::bpte::TestCase* bundled_test() const {
    return bundle_ == nullptr || !flags_.inputs.empty() ? nullptr : first_test_case(*bundle_, method_name_);
  }

  Result<double> timed_execution() {
    ETALON_CHECKED(set_inputs());
    const std::uint64_t start = platform::now_ns();
    const Status status = method_->execute();
    const double ms = platform::ns_to_ms(platform::now_ns() - start);
    if (!status.ok()) {
      const Error failure = as_run_failure(status.error());
      ETALON_LOG_ERROR("Execution of method {} failed with status {}", method_name_, status_number(failure));
      return Error(failure).with_context(flags_.model_path);
    }
    if (!report_.first_ms) report_.first_ms = ms;
    return ms;
  }

  Status warm_up() {
    method_->set_tracer(nullptr);
    for (std::uint32_t i = 0; i < flags_.warmup; ++i) {
      ETALON_TRY(const double ms, timed_execution());
      static_cast<void>(ms);
    }
    method_->set_tracer(recorder_.get());
    return {};
  }

  Status execute_all() {
    ETALON_CHECKED(warm_up());
    double total = 0;
    report_.runs_ms.clear();
    for (std::uint32_t i = 0; i < flags_.num_executions; ++i) {
      ETALON_TRY(const double ms, timed_execution());
      report_.runs_ms.push_back(ms);
      total += ms;
      ETALON_LOG_INFO("Iteration {} of {}: {:f} ms", i + 1, flags_.num_executions, ms);
    }
    ETALON_LOG_INFO("Model executed successfully {} time(s) in {:f} ms.", flags_.num_executions, total);
    return {};
  }

  Status run_once() {
    ETALON_CHECKED(read_inputs());
    ETALON_CHECKED(execute_all());
    return emit_outputs();
  }

  Status serve() {
    std::string line;
    while (std::getline(std::cin, line)) {
      ETALON_CHECKED(read_inputs());
      ETALON_CHECKED(execute_all());
      ETALON_CHECKED(emit_outputs());
      ETALON_LOG_INFO("SERVER MODE DONE");
    }
    return {};
  }

  Status emit_outputs() {
    ETALON_LOG_INFO("{} outputs: ", method_->output_count());
    for (std::size_t i = 0; i < method_->output_count(); ++i) {
      const ops::Value& output = method_->output(i);
      if (!flags_.output_file.empty() && output.is(Tag::kTensor)) {
        const std::string path = fmt::format("{}-{}.bin", flags_.output_file, i);
        ETALON_LOG_INFO("Writing output to file: {}", path);
        ETALON_CHECKED(write_raw(path, *output.as_tensor()));
      }
      if (flags_.print_output == "summary") put(fmt::format("OutputX {}: {}\n", i, summary_of(output)));
      if (flags_.print_output == "all") put(listing_of(output, i));
    }
    return finish_stdout();
  }

  Status write_events() {
    if (recorder_ == nullptr) return {};
    if (const Status written = recorder_->write(flags_.etdump_path); !written.ok()) {
      ETALON_LOG_ERROR("Failed to open ETDump file at {}.", flags_.etdump_path);
      return written.error();
    }
    ETALON_LOG_INFO("ETDump written to file '{}'.", flags_.etdump_path);
    return {};
  }

  Result<int> check_bundle() {
    const auto* test = bundled_test();
    if (test == nullptr || test->expected_outputs.empty()) return kExitOk;
    ETALON_TRY(const BundledResult result,
               compare_with_bundle(*method_, *test, flags_.bundleio_rtol, flags_.bundleio_atol), flags_.model_path);
    ETALON_LOG_INFO("=== Error stats for testset {} ===", 0);
    ETALON_LOG_INFO(" mean_absolute_error: {:f}", result.mean_absolute_error);
    ETALON_LOG_INFO(" max_absolute_error:  {:f}", result.max_absolute_error);
    ETALON_LOG_INFO(" mean_relative_error: {:f}", result.mean_relative_error);
    ETALON_LOG_INFO(" max_relative_error:  {:f}", result.max_relative_error);
    if (result.matches) ETALON_LOG_INFO("Model output match expected BundleIO bpte ref data.");
    ETALON_LOG_INFO("TEST: BundleIO index[{}] Test_result: {}", 0, result.matches ? "PASS" : "FAIL");
    return result.matches ? kExitOk : kExitNo;
  }

  Status write_report() {
    if (flags_.json.empty()) return {};
    if (flags_.trace != "kernels") return write_json(flags_.json, to_json(report_));
    const auto kernels = kernel_records(*method_);
    return write_json(flags_.json, to_json(report_, &kernels));
  }

  RunnerFlags flags_;
  RunReport report_;
  runtime::MethodOptions options_;
  std::unique_ptr<trace::EtdumpRecorder> recorder_;
  std::vector<MappedFile> model_;
  std::unique_ptr<formats::bpte::BundledProgram> bundle_;
  std::unique_ptr<runtime::Program> program_;
  std::unique_ptr<runtime::Method> method_;
  std::string method_name_;
  std::vector<std::unique_ptr<runtime::Tensor>> inputs_;  // null: a number, which the program stores
};

int fail(const Error& error) {
  say_error("etalon-runner", error);
  return exit_code_of(error);
}

int run(int argc, char** argv) {
  const std::vector<std::string_view> args(argv + 1, argv + argc);
  auto flags = parse_runner_flags(args);
  if (!flags.ok()) return fail(flags.error());
  if (flags->help) {
    put(runner_help());
    const Status shown = finish_stdout();
    return shown.ok() ? kExitOk : fail(shown.error());
  }
  const Result<int> result = Runner(std::move(*flags)).run();
  return result.ok() ? *result : fail(result.error());
}

}  // namespace
}  // namespace etalon::cli

int main(int argc, char** argv) {
  etalon::cli::prepare_streams();
  etalon::cli::clean_up_on_interrupt();
  try {
    return etalon::cli::run(argc, argv);
  } catch (const std::bad_alloc&) {
    return etalon::cli::fail(etalon::resource_error("out of memory"));
  } catch (const std::exception& error) {
    return etalon::cli::fail(etalon::internal_error(fmt::format("unexpected: {}", error.what())));
  }
}
