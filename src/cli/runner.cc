#include "cli/runner.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
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
#include "cli/interrupt.h"
#include "cli/print_value.h"
#include "cli/runner_log.h"
#include "cli/runner_worker.h"
#include "cli/streams.h"
#include "measure/worker_process.h"
#include "platform/affinity.h"
#include "platform/clock.h"
#include "platform/memory.h"
#include "runtime/tensor.h"

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
  Runner(RunnerFlags flags, RunnerEngine& engine) : flags_(std::move(flags)), engine_(engine) {}

  Result<int> run() {
    if (flags_.worker) return work();
    ETALON_CHECKED(prepare());
    if (flags_.command_mode) {
      ETALON_CHECKED(obey());
      return kExitOk;
    }
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
    ETALON_CHECKED(engine_.configure(flags_, report_));
    report_.warmup = flags_.warmup;
    report_.model = flags_.model_path;
    choose_recording();
    ETALON_LOG_INFO("Resetting threadpool with num threads = {}", report_.threads);
    log_notes();
    if (!flags_.inputs.empty()) ETALON_LOG_INFO("Loading inputs from input file(s).");
    return {};
  }

  // --trace off together with --etdump_path records the runs as wholes, which costs nothing per operator.
  void choose_recording() {
    if (flags_.trace.empty()) flags_.trace = flags_.etdump_path.empty() ? "off" : "ops";
    const bool traced = flags_.trace != "off";
    records_ = traced || !flags_.etdump_path.empty();
    if (!records_) return;
    if (flags_.etdump_path.empty() && !flags_.worker) flags_.etdump_path = "model.etdump";
    engine_.prepare_recording(traced ? RunnerEngine::Recording::kOperators : RunnerEngine::Recording::kMethods);
  }

  Status load() {
    const std::uint64_t start = platform::now_ns();
    ETALON_CHECKED(open_files());
    method_name_ = flags_.method_name.empty() ? engine_.first_method() : flags_.method_name;
    report_.method = method_name_;
    ETALON_LOG_INFO("Using method {}", method_name_);
    if (const Status loaded = engine_.load(method_name_); !loaded.ok()) {
      ETALON_LOG_ERROR("Loading of method {} failed with status {}", method_name_, status_number(loaded.error()));
      return Error(loaded.error()).with_context(flags_.model_path);
    }
    report_.load_ms = platform::ns_to_ms(platform::now_ns() - start);
    report_.memory_bytes = engine_.memory_bytes();
    const auto buffers = engine_.planned_buffer_sizes();
    for (std::size_t i = 0; i < buffers.size(); ++i) {
      ETALON_LOG_INFO("Setting up CPU planned buffer {}, size {}.", i, buffers[i]);
    }
    log_notes();
    ETALON_LOG_INFO("Model loaded in {:f} ms.", report_.load_ms);
    return {};
  }

  // Loading may add some.
  void log_notes() {
    for (; notes_logged_ < report_.notes.size(); ++notes_logged_) ETALON_LOG_INFO("{}", report_.notes[notes_logged_]);
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
    if (const Status opened = engine_.open(program, data); !opened.ok()) {
      ETALON_LOG_ERROR("Failed to parse model file {}", flags_.model_path);
      return Error(opened.error()).with_context(flags_.model_path);
    }
    if (const auto keys = engine_.external_keys()) {
      ETALON_LOG_INFO("PTD file {} is loaded.", flags_.data_path);
      ETALON_LOG_INFO("PTD data map created with {} keys.", *keys);
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
    if (!files.empty() && files.size() != engine_.input_count()) {
      return invalid_input(fmt::format("--inputs: {} files given, the method takes {} inputs", files.size(),
                                       engine_.input_count()));
    }
    inputs_.clear();
    for (std::size_t i = 0; i < engine_.input_count(); ++i) {
      const std::optional<InputSpec> wanted = engine_.input(i);
      if (!wanted) {
        inputs_.emplace_back();
        continue;
      }
      const InputSpec& spec = *wanted;
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
    if (const auto* test = bundled_test()) return set_bundled_inputs(engine_, *test);
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      if (inputs_[i] == nullptr) continue;
      ETALON_CHECKED(engine_.set_input(i, ops::Value::of_tensor(&inputs_[i]->view())));
    }
    return {};
  }

  const formats::bpte::TestCase* bundled_test() const {
    return bundle_ == nullptr || !flags_.inputs.empty() ? nullptr : first_test_case(*bundle_, method_name_);
  }

  Result<double> timed_execution() {
    ETALON_CHECKED(set_inputs());
    const std::uint64_t start = platform::now_ns();
    const Status status = engine_.execute();
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
    engine_.record(false);
    for (std::uint32_t i = 0; i < flags_.warmup; ++i) {
      ETALON_TRY(const double ms, timed_execution());
      static_cast<void>(ms);
    }
    engine_.record(true);
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

  // The worker of a measuring session; measure/worker_process.h describes the conversation.
  Result<int> work() {
    ETALON_TRY(const int channel, take_stdout());
    Status status = work_on(channel);
    if (!status.ok()) tell_failure(channel, status.error());
    if (!status.ok()) return status.error();
    return kExitOk;
  }

  Status work_on(int channel) {
    ETALON_CHECKED(prepare());
    const auto baseline = platform::current_rss_bytes();
    ETALON_CHECKED(load());
    ETALON_CHECKED(read_inputs());
    ETALON_CHECKED(warm_up());
    ETALON_CHECKED(measure::serve_worker(
        STDIN_FILENO, channel, [this](std::uint32_t runs) { return run_for_session(runs); },
        [this, baseline] { return worker_figures(report_, engine_, baseline); }));
    return write_events();
  }

  Result<std::vector<double>> run_for_session(std::uint32_t runs) {
    std::vector<double> times;
    times.reserve(runs);
    for (std::uint32_t i = 0; i < runs; ++i) {
      ETALON_TRY(const double ms, timed_execution());
      times.push_back(ms * 1e6);
    }
    return times;
  }

  // For benchmarks that interleave several processes: one keeps its state between commands, and is idle in between.
  Status obey() {
    answer(fmt::format(R"({{"engine":"{}","version":"{}","threads":{}}})", report_.engine, report_.engine_version,
                       report_.threads));
    std::string line;
    while (std::getline(std::cin, line)) {
      const std::string_view command = line;
      if (command == "load") {
        ETALON_CHECKED(load());
        ETALON_CHECKED(read_inputs());
        answer(fmt::format(R"({{"load_ms":{:.6f}}})", report_.load_ms));
      } else if (command.starts_with("run ") && !inputs_.empty()) {
        ETALON_CHECKED(run_batch(std::strtoul(line.c_str() + 4, nullptr, 10)));
      } else if (command.starts_with("output ") && report_.first_ms) {
        flags_.output_dir = line.substr(7);
        ETALON_CHECKED(emit_outputs());
        answer("{}");
      } else {
        return invalid_input(fmt::format("command '{}', want load, then run N or output DIR", command.substr(0, 40)));
      }
    }
    return {};
  }

  // Handing over the inputs counts: it does in every other engine.
  Status run_batch(std::size_t count) {
    std::string times;
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint64_t start = platform::now_ns();
      ETALON_TRY(const double ms, timed_execution());
      static_cast<void>(ms);
      times += fmt::format("{}{:.6f}", i == 0 ? "" : ",", platform::ns_to_ms(platform::now_ns() - start));
    }
    answer(fmt::format(R"({{"ms":[{}]}})", times));
    return {};
  }

  static void answer(std::string_view json) {
    put(json);
    put("\n");
    std::fflush(stdout);
  }

  Status emit_outputs() {
    ETALON_LOG_INFO("{} outputs: ", engine_.output_count());
    if (!flags_.output_dir.empty()) ETALON_CHECKED(make_directories(flags_.output_dir));
    for (std::size_t i = 0; i < engine_.output_count(); ++i) {
      const ops::Value& output = engine_.output(i);
      if (!flags_.output_file.empty() && output.is(Tag::kTensor)) {
        const std::string path = fmt::format("{}-{}.bin", flags_.output_file, i);
        ETALON_LOG_INFO("Writing output to file: {}", path);
        ETALON_CHECKED(write_raw(path, *output.as_tensor()));
      }
      if (!flags_.output_dir.empty() && output.is(Tag::kTensor)) {
        bool widened = false;
        ETALON_CHECKED(write_npy(fmt::format("{}/{}.npy", flags_.output_dir, i), *output.as_tensor(), widened));
      }
      if (flags_.print_output == "summary") put(fmt::format("OutputX {}: {}\n", i, summary_of(output)));
      if (flags_.print_output == "all") put(listing_of(output, i));
    }
    return finish_stdout();
  }

  Status write_events() {
    if (!records_ || flags_.etdump_path.empty()) return {};
    if (const Status written = engine_.write_events(flags_.etdump_path); !written.ok()) {
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
               compare_with_bundle(engine_, *test, flags_.bundleio_rtol, flags_.bundleio_atol), flags_.model_path);
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
    for (std::size_t i = 0; i < engine_.output_count(); ++i) {
      if (!engine_.output(i).is(Tag::kTensor)) continue;
      ETALON_TRY(OutputSummary summary, summarize_output(i, *engine_.output(i).as_tensor()));
      report_.outputs.push_back(std::move(summary));
    }
    if (flags_.trace == "off") return write_json(flags_.json, to_json(report_));
    const auto kernels = engine_.kernels();
    return write_json(flags_.json, to_json(report_, &kernels));
  }

  RunnerFlags flags_;
  RunnerEngine& engine_;
  RunReport report_;
  bool records_ = false;
  std::size_t notes_logged_ = 0;
  std::vector<MappedFile> model_;
  std::unique_ptr<formats::bpte::BundledProgram> bundle_;
  std::string method_name_;
  std::vector<std::unique_ptr<runtime::Tensor>> inputs_;  // null: a number, which the program stores
};

int fail(std::string_view name, const Error& error) {
  say_error(name, error);
  return exit_code_of(error);
}

int run(std::string_view name, int argc, char** argv, RunnerEngine& engine) {
  const std::vector<std::string_view> args(argv + 1, argv + argc);
  auto flags = parse_runner_flags(args);
  if (!flags.ok()) {
    if (std::find(args.begin(), args.end(), "--worker") != args.end()) tell_failure(STDOUT_FILENO, flags.error());
    return fail(name, flags.error());
  }
  if (flags->help) {
    put(runner_help(name));
    const Status shown = finish_stdout();
    return shown.ok() ? kExitOk : fail(name, shown.error());
  }
  const Result<int> result = Runner(std::move(*flags), engine).run();
  return result.ok() ? *result : fail(name, result.error());
}

}  // namespace

int run_runner(std::string_view name, int argc, char** argv, RunnerEngine& engine) {
  prepare_streams();
  clean_up_on_interrupt();
  try {
    return run(name, argc, argv, engine);
  } catch (const std::bad_alloc&) {
    return fail(name, resource_error("out of memory"));
  } catch (const std::exception& error) {
    return fail(name, internal_error(fmt::format("unexpected: {}", error.what())));
  }
}

}  // namespace etalon::cli
