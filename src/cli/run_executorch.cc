#include "cli/run_executorch.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/unfinished.h"
#include "cli/command.h"
#include "cli/output_summary.h"
#include "cli/run_report.h"
#include "cli/runner_paths.h"
#include "platform/process.h"
#include "targets/runner_output.h"

namespace etalon::cli {
namespace {

using Json = nlohmann::json;

std::string scratch_report() {
  const char* folder = std::getenv("TMPDIR");
  return fmt::format("{}/etalon-run-{}.json", folder == nullptr || *folder == '\0' ? "/tmp" : folder, ::getpid());
}

// A file that is ours alone, and gone when we are done.
class ScratchFile {
 public:
  explicit ScratchFile(std::string path) : path_(std::move(path)), unfinished_(path_) { ::unlink(path_.c_str()); }
  ~ScratchFile() { ::unlink(path_.c_str()); }
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  UnfinishedFile unfinished_;
};

std::vector<std::string> command_line(const std::string& runner, const ExecutorchRun& request, const std::string& report) {
  std::vector<std::string> argv = {runner, "--model_path=" + request.model, fmt::format("--num_executions={}", request.runs),
                                   fmt::format("--warmup={}", request.warmup), "--print_output=none", "--json=" + report};
  if (request.threads > 0) argv.push_back(fmt::format("--cpu_threads={}", request.threads));
  if (!request.inputs.empty()) argv.push_back(fmt::format("--inputs={}", fmt::join(request.inputs, ",")));
  const auto add = [&](const char* flag, const std::string& value) {
    if (!value.empty()) argv.push_back(fmt::format("--{}={}", flag, value));
  };
  add("method_name", request.method);
  add("data_path", request.data);
  add("output_dir", request.output_dir);
  add("isa", request.isa);
  add("etdump_path", request.etdump);
  return argv;
}

// "etalon-executorch-runner: model.pte: ..." is what the runner says last when it gives up.
std::string last_message(const std::string& output) {
  constexpr std::string_view kMark = "\netalon-executorch-runner: ";
  const std::string text = "\n" + output;
  const std::size_t at = text.rfind(kMark);
  if (at == std::string::npos) return targets::parse_runner_log(output).last_error;
  const std::size_t begin = at + kMark.size();
  return text.substr(begin, text.find('\n', begin) - begin);
}

Error failure(const ExecutorchRun& request, const platform::ProcessEnd& end) {
  const std::string said = last_message(end.output);
  if (end.exit_code == kExitUsage && !said.empty()) return invalid_input(said);
  if (end.exit_code == kExitDefect) return internal_error(said);
  return run_failed(fmt::format("{}: engine executorch {}{}{}", request.model, end.describe(), said.empty() ? "" : ": ",
                                said.substr(0, 400)));
}

OutputSummary output_of(const Json& item) {
  OutputSummary output;
  output.index = item.value("index", std::size_t{0});
  output.dtype = item.value("dtype", std::string());
  output.sizes = item.value("sizes", std::vector<std::int64_t>());
  output.min = item.value("min", 0.0);
  output.mean = item.value("mean", 0.0);
  output.max = item.value("max", 0.0);
  output.not_finite = item.value("not_finite", std::size_t{0});
  return output;
}

Result<RunReport> report_of(const std::string& text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return internal_error("the report of etalon-executorch-runner is not a JSON object");
  try {
    RunReport report;
    report.model = json.value("model", "");
    report.method = json.value("method", "");
    report.engine = json.value("engine", "");
    report.engine_version = json.value("engine_version", "");
    report.threads = json.value("threads", 1);
    report.load_ms = json.value("load_ms", 0.0);
    report.first_ms = json.value("first_ms", 0.0);
    report.runs_ms = json.value("runs_ms", std::vector<double>());
    report.notes = json.value("notes", std::vector<std::string>());
    for (const Json& item : json.value("outputs", Json::array())) report.outputs.push_back(output_of(item));
    return report;
  } catch (const Json::exception& error) {
    return internal_error(fmt::format("the report of etalon-executorch-runner: {}", error.what()));
  }
}

std::string listing(const ExecutorchRun& request, const RunReport& report) {
  std::string text;
  for (const OutputSummary& output : report.outputs) {
    text += "  " + describe(output);
    if (!request.output_dir.empty()) text += fmt::format("  -> {}/{}.npy", request.output_dir, output.index);
    text += "\n";
  }
  return text;
}

}  // namespace

Result<int> run_executorch(const ExecutorchRun& request, const Console& console) {
  ETALON_TRY(const std::string runner, executorch_runner_path());
  if (!file_exists(request.model)) return not_found(request.model + ": no such file");
  if (request.inputs.empty()) {
    console.warn("no --input given: every input is filled with ones, so outputs and data-dependent times mean little");
  }
  const ScratchFile scratch(scratch_report());
  platform::Command command;
  command.argv = command_line(runner, request, scratch.path());
  ETALON_TRY(const platform::ProcessEnd end, platform::run_process(command));
  console.detail(end.output);
  if (!end.succeeded()) return failure(request, end);
  ETALON_TRY(const std::string text, read_text_file(scratch.path()));
  ETALON_TRY(const RunReport report, report_of(text));
  for (const std::string& note : report.notes) console.note("note: " + note);
  if (!request.json.empty()) ETALON_CHECKED(write_json(request.json, text));
  if (request.json != "-") console.print(summary_of(report, console) + listing(request, report));
  return kExitOk;
}

}  // namespace etalon::cli
