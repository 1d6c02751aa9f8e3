// `etalon run`: loads a program, runs it on files or on ones, writes outputs and times.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/file.h"
#include "cli/command.h"
#include "cli/engine_choice.h"
#include "cli/kernel_table.h"
#include "cli/run_executorch.h"
#include "cli/run_report.h"
#include "cli/tensor_files.h"
#include "platform/clock.h"
#include "runtime/module.h"
#include "trace/etdump_recorder.h"

namespace etalon::cli {
namespace {

using Tag = ops::Value::Tag;

struct RunFlags {
  std::string model;
  std::string method;
  std::string data;
  std::vector<std::string> inputs;
  std::string output_dir;
  std::string engine;
  std::string isa;
  std::string math;
  bool kernels = false;
  int threads = 0;
  unsigned runs = 1;
  unsigned warmup = 0;
  std::string etdump;
  std::string json;
};

Result<std::vector<runtime::Tensor>> read_inputs(const runtime::Method& method, const RunFlags& flags,
                                                 const Console& console) {
  std::vector<std::size_t> tensor_inputs;
  for (std::size_t i = 0; i < method.input_count(); ++i) {
    if (method.input(i).is(Tag::kTensor)) tensor_inputs.push_back(i);
  }
  if (!flags.inputs.empty() && flags.inputs.size() != tensor_inputs.size()) {
    return invalid_input(fmt::format("{} inputs given with --input, the method takes {}", flags.inputs.size(),
                                     tensor_inputs.size()));
  }
  if (flags.inputs.empty() && !tensor_inputs.empty()) {
    console.warn("no --input given: every input is filled with ones, so outputs and data-dependent times mean little");
  }
  std::vector<runtime::Tensor> tensors;
  for (std::size_t k = 0; k < tensor_inputs.size(); ++k) {
    const InputSpec spec = input_spec(method, tensor_inputs[k]);
    auto tensor = flags.inputs.empty() ? ones(spec) : read_tensor(flags.inputs[k], spec);
    if (!tensor.ok()) return tensor.take_error().with_context(fmt::format("input {}", tensor_inputs[k]));
    tensors.push_back(std::move(*tensor));
  }
  return tensors;
}

Status set_inputs(runtime::Method& method, std::vector<runtime::Tensor>& tensors) {
  std::size_t next = 0;
  for (std::size_t i = 0; i < method.input_count(); ++i) {
    if (!method.input(i).is(Tag::kTensor)) continue;
    ETALON_CHECKED(method.set_input(i, ops::Value::of_tensor(&tensors[next++].view())));
  }
  return {};
}

Result<double> timed_run(runtime::Method& method, std::vector<runtime::Tensor>& tensors) {
  ETALON_CHECKED(set_inputs(method, tensors));
  const std::uint64_t start = platform::now_ns();
  const Status status = method.execute();
  const double ms = platform::ns_to_ms(platform::now_ns() - start);
  if (status.ok()) return ms;
  if (status.error().code() == ErrorCode::kInternal) return status.error();
  return run_failed(status.error().message());
}

Status execute(runtime::Method& method, std::vector<runtime::Tensor>& tensors, const RunFlags& flags,
               runtime::EventTracer* tracer, const Console& console, RunReport& report) {
  const unsigned total = flags.warmup + flags.runs;
  method.set_tracer(nullptr);
  for (unsigned i = 0; i < total; ++i) {
    const bool counts = i >= flags.warmup;
    if (counts) method.set_tracer(tracer);
    ETALON_TRY(const double ms, timed_run(method, tensors));
    if (!report.first_ms) report.first_ms = ms;
    if (counts) report.runs_ms.push_back(ms);
    if (total > 1) console.progress("running", i + 1, total);
  }
  return {};
}

Result<std::string> write_output(const ops::Value& output, std::size_t i, const std::string& folder,
                                 const Console& console, RunReport& report) {
  if (!output.is(Tag::kTensor)) return std::string();
  const TensorView& view = *output.as_tensor();
  ETALON_TRY(OutputSummary summary, summarize_output(i, view));
  std::string line = "  " + describe(summary);
  report.outputs.push_back(std::move(summary));
  if (!folder.empty()) {
    const std::string path = fmt::format("{}/{}.npy", folder, i);
    bool widened = false;
    ETALON_CHECKED(write_npy(path, view, widened));
    if (widened) console.note(fmt::format("output {}: .npy has no bfloat16, written as float32", i));
    line += "  -> " + path;
  }
  return line + "\n";
}

Result<std::string> write_outputs(const runtime::Method& method, const RunFlags& flags, const Console& console,
                                  RunReport& report) {
  if (!flags.output_dir.empty()) ETALON_CHECKED(make_directories(flags.output_dir));
  std::string text;
  for (std::size_t i = 0; i < method.output_count(); ++i) {
    ETALON_TRY(const std::string line, write_output(method.output(i), i, flags.output_dir, console, report));
    text += line;
  }
  return text;
}

ExecutorchRun for_executorch(const RunFlags& flags) {
  return {flags.model, flags.method, flags.data, flags.inputs, flags.output_dir, flags.isa,
          flags.threads, flags.runs, flags.warmup, flags.etdump, flags.json};
}

Result<int> run(const RunFlags& flags, Console& console) {
  if (flags.engine == "executorch") return run_executorch(for_executorch(flags), console);
  RunReport report;
  runtime::ModuleOptions options;
  options.external_data = flags.data;
  ETALON_TRY(Engine engine,
             Engine::choose({flags.engine, flags.isa, flags.threads, flags.math}, options.method, report));
  for (const std::string& note : report.notes) console.note("note: " + note);
  std::unique_ptr<trace::EtdumpRecorder> recorder;
  if (!flags.etdump.empty()) recorder = std::make_unique<trace::EtdumpRecorder>();
  options.method.tracer = recorder.get();

  const std::uint64_t start = platform::now_ns();
  const std::size_t notes = report.notes.size();
  engine.use_packed(flags.model, report);
  for (const std::string& note : std::span(report.notes).subspan(notes)) console.note("note: " + note);
  ETALON_TRY(auto module, runtime::Module::load(flags.model, options));
  ETALON_TRY(runtime::Method* const method, module.method(flags.method), flags.model);
  report.load_ms = platform::ns_to_ms(platform::now_ns() - start);
  report.model = flags.model;
  report.method = method->name();
  report.warmup = flags.warmup;
  report.memory_bytes = method->memory_bytes();

  if (recorder != nullptr) recorder->describe_kernels(*method);

  ETALON_TRY(auto tensors, read_inputs(*method, flags, console), flags.model);
  ETALON_CHECKED(execute(*method, tensors, flags, recorder.get(), console, report), flags.model);
  ETALON_TRY(const std::string outputs, write_outputs(*method, flags, console, report));
  if (recorder != nullptr) ETALON_CHECKED(recorder->write(flags.etdump));
  const std::vector<KernelRecord> kernels = flags.kernels ? kernel_records(*method) : std::vector<KernelRecord>();
  if (!flags.json.empty()) ETALON_CHECKED(write_json(flags.json, to_json(report, flags.kernels ? &kernels : nullptr)));
  if (flags.json == "-") return kExitOk;
  console.print(summary_of(report, console) + outputs);
  if (flags.kernels) console.print(kernel_table(kernels, console));
  return kExitOk;
}

Action declare(CLI::App& app) {
  auto flags = std::make_shared<RunFlags>();
  app.add_option("model", flags->model, "The .pte program")->required();
  app.add_option("--input", flags->inputs, "An .npy file, or raw elements; once per input, in order")->take_all();
  app.add_option("--output-dir", flags->output_dir, "Write outputs as 0.npy, 1.npy, ... into this folder");
  app.add_option("--engine", flags->engine, "native, portable or executorch");
  app.add_option("--isa", flags->isa, "Highest instruction set to use");
  app.add_option("--math", flags->math, kMathHelp);
  app.add_option("--threads", flags->threads, "Threads to compute with")->check(CLI::Range(1, 4096));
  app.add_option("--runs", flags->runs, "Runs that count")->check(CLI::Range(1u, 100'000'000u));
  app.add_option("--warmup", flags->warmup, "Runs before the ones that count")->check(CLI::Range(0u, 100'000'000u));
  app.add_option("--method", flags->method, "The method to run; forward if not given");
  app.add_option("--data", flags->data, "A .ptd file with weights stored outside of the program");
  app.add_option("--etdump", flags->etdump, "Write the events of the runs to this file");
  app.add_flag("--kernels", flags->kernels, "Tell which kernel ran each operator, and why not a better one");
  app.add_option("--json", flags->json, "Write times and what ran to this file; - is stdout");
  return [flags](Console& console) { return run(*flags, console); };
}

}  // namespace

extern const Command kRunCommand;
constinit const Command kRunCommand{
    "run",
    "Run a program on files or on ones; write outputs and times",
    "  etalon run model.pte --input image.npy --output-dir out\n"
    "  etalon run model.pte --runs 100 --warmup 10 --json run.json\n",
    &declare,
};

}  // namespace etalon::cli
