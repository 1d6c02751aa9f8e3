#include "cli/arms.h"

#include <fmt/core.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "analysis/content_hash.h"
#include "base/file.h"
#include "cli/runner_paths.h"
#include "measure/preflight.h"
#include "measure/worker_process.h"

namespace etalon::cli {
namespace {

constexpr std::uint32_t kTracedWarmup = 5;    // a worker that records warms up before it does
constexpr double kTracedQuitSeconds = 60;     // for its recording to be written
constexpr std::uint64_t kProcessBytes = std::uint64_t{64} << 20;
constexpr std::uint64_t kCopiesOfModel = 3;  // the file, its packed weights, its activations: about
constexpr std::uint32_t kLaunches = 12;
constexpr std::uint32_t kMostLaunches = 30;
constexpr double kSecondsForLaunches = 20;  // in which twelve launches and a control of most models fit

Status check_request(const ArmRequest& request, std::set<std::string>& names) {
  if (request.name.empty()) return invalid_input("an arm has no name");
  if (!names.insert(request.name).second) {
    return invalid_input(fmt::format("two arms are called {}; names must differ", request.name));
  }
  if (request.model.empty()) return invalid_input(fmt::format("arm {} has no model", request.name));
  if (!file_exists(request.model)) return not_found(fmt::format("{}: no such model", request.model));
  for (const std::string& input : request.inputs) {
    if (!file_exists(input)) return not_found(fmt::format("{}: no such input", input));
  }
  return {};
}

Result<std::string> runner_of(const ArmRequest& request) {
  if (request.runner.empty()) {
    return request.engine == "executorch" ? executorch_runner_path() : own_runner_path();
  }
  if (!file_exists(request.runner)) return not_found(fmt::format("{}: no such runner", request.runner));
  if (is_own_runner(request.runner)) return request.runner;
  return invalid_input(fmt::format(
      "{}: is no etalon-runner, and only those can be kept alive between measurements", request.runner));
}

Result<std::string> key_of(const ArmRequest& request) {
  std::string text = fmt::format("{}\x1f{}\x1f{}\x1f{}\x1f{:x}\x1f{}\x1f{}\x1f{}", request.engine, request.isa,
                                 request.math, request.threads, request.cpu_mask, request.traced,
                                 request.warmup, fmt::join(request.extra_args, "\x1f"));
  for (const auto& [name, value] : request.environment) text += fmt::format("\n{}={}", name, value);
  std::vector<std::string> files = {request.model, request.runner};
  files.insert(files.end(), request.inputs.begin(), request.inputs.end());
  for (const std::string& file : files) {
    ETALON_TRY(const std::string hash, analysis::hash_file(file));
    text += "\n" + hash;
  }
  return analysis::sha256_hex(text).substr(0, 32);
}

std::vector<std::string> command_line(const ArmRequest& request, const std::string& etdump) {
  std::vector<std::string> argv = {request.runner, "--worker", "--model_path=" + request.model,
                                   fmt::format("--cpu_threads={}", request.threads), "--print_output=none"};
  const auto put = [&argv](const char* flag, const std::string& value) {
    if (!value.empty()) argv.push_back(fmt::format("--{}={}", flag, value));
  };
  put("engine", request.engine);
  put("isa", request.isa);
  put("math", request.math);
  put("inputs", fmt::format("{}", fmt::join(request.inputs, ",")));
  if (request.cpu_mask != 0) put("cpu_affinity", fmt::format("{:#x}", request.cpu_mask));
  put("trace", request.traced ? "ops" : "off");
  if (request.traced) put("warmup", std::to_string(std::max(request.warmup, kTracedWarmup)));
  put("etdump_path", etdump);
  argv.insert(argv.end(), request.extra_args.begin(), request.extra_args.end());
  return argv;
}

measure::Surroundings surroundings_of(const ArmProcesses& processes) {
  return measure::real_surroundings(processes.shared_cpus());
}

Error named_error(const ArmProcesses& processes, Error otherwise) {
  const auto& failure = processes.failure();
  if (!failure) return otherwise;
  return Error(failure->error).with_context(processes.arms()[failure->arm].name);
}

}  // namespace

// Remembers whose process failed.
class ArmWorker final : public measure::Worker {
 public:
  ArmWorker(ArmProcesses& processes, std::size_t arm, std::unique_ptr<measure::Worker> worker)
      : processes_(processes), arm_(arm), worker_(std::move(worker)) {}

  Result<std::vector<double>> run(std::uint32_t runs) override {
    auto times = worker_->run(runs);
    if (!times.ok()) processes_.failure_ = {arm_, times.error()};
    return times;
  }
  measure::Figures figures() const override { return worker_->figures(); }

 private:
  ArmProcesses& processes_;
  std::size_t arm_;
  std::unique_ptr<measure::Worker> worker_;
};

Result<std::unique_ptr<ArmProcesses>> ArmProcesses::prepare(
    const std::vector<ArmRequest>& requests,
    std::function<std::string(std::size_t arm, std::size_t launch)> etdump_path) {
  auto made = std::make_unique<ArmProcesses>();
  made->etdump_path_ = std::move(etdump_path);
  std::set<std::string> names;
  for (ArmRequest request : requests) {
    ETALON_CHECKED(check_request(request, names));
    ETALON_TRY(request.runner, runner_of(request), request.name);
    if (request.key.empty()) {
      ETALON_TRY(request.key, key_of(request), request.name);
    }
    ETALON_TRY(const MappedFile model, MappedFile::open(request.model));
    made->model_bytes_.push_back(model.bytes().size());
    made->arms_.push_back({.name = request.name,
                           .key = request.key,
                           .threads = request.threads,
                           .total_runs = request.total_runs,
                           .fewest_warmup = request.warmup,
                           .warms_itself = request.traced});
    made->requests_.push_back(std::move(request));
  }
  return made;
}

measure::LaunchWorker ArmProcesses::launcher() {
  return [this](std::size_t arm) { return launch(arm); };
}

void ArmProcesses::before_launch(std::string_view phase, std::uint32_t launch) {
  launch_.reset();
  if (phase == "measure") launch_ = launch;
}

Result<std::unique_ptr<measure::Worker>> ArmProcesses::launch(std::size_t arm) {
  const ArmRequest& request = requests_[arm];
  measure::WorkerCommand command;
  const bool kept = request.traced && launch_ && etdump_path_;
  command.argv = command_line(request, kept ? etdump_path_(arm, *launch_) : "");
  command.environment = request.environment;
  command.load_timeout_seconds = request.timeout_seconds;
  command.run_timeout_seconds = request.timeout_seconds;
  if (request.traced) command.quit_timeout_seconds = kTracedQuitSeconds;
  command.error_path = request.log_path.empty() ? "/dev/null" : request.log_path;
  auto worker = measure::launch_worker_process(command);
  if (!worker.ok()) {
    failure_ = {arm, worker.error()};
    return worker.take_error();
  }
  return std::unique_ptr<measure::Worker>(std::make_unique<ArmWorker>(*this, arm, std::move(worker).value()));
}

bool ArmProcesses::fit_together() const {
  const auto available = measure::read_machine_state().memory_available_bytes;
  if (!available) return true;
  std::uint64_t wanted = 0;
  for (const std::uint64_t bytes : model_bytes_) wanted += kProcessBytes + kCopiesOfModel * bytes;
  return wanted < *available / 2;
}

std::vector<int> ArmProcesses::shared_cpus() const {
  std::vector<int> cpus;
  for (const ArmRequest& request : requests_) {
    if (request.cpu_mask != requests_.front().cpu_mask) return {};
  }
  for (int cpu = 0; cpu < 64 && !requests_.empty(); ++cpu) {
    if ((requests_.front().cpu_mask >> cpu) & 1U) cpus.push_back(cpu);
  }
  return cpus;
}

Result<measure::SessionOutcome> measure_arms(const std::vector<ArmRequest>& requests,
                                             const ArmsOptions& options) {
  ETALON_TRY(const auto processes, ArmProcesses::prepare(requests, options.etdump_path));
  measure::Plan plan = options.plan;
  plan.concurrent = plan.concurrent && processes->fit_together();
  measure::Recording earlier;
  measure::SessionHooks hooks;
  hooks.progress = options.progress;
  hooks.begin = [&](std::string_view phase, std::uint32_t launch) { processes->before_launch(phase, launch); };
  if (!options.samples_path.empty()) {
    // A file that cannot be continued is replaced: it is another session's, or was cut short.
    if (auto known = measure::read_recording(options.samples_path); known.ok()) {
      earlier = std::move(known).value();
    }
    hooks.save = [&](const measure::Recording& recording) {
      return measure::write_recording(options.samples_path, recording);
    };
  }
  auto outcome = measure::run_session(plan, processes->arms(), processes->launcher(),
                                      surroundings_of(*processes), hooks, options.judge, std::move(earlier));
  if (!outcome.ok()) return named_error(*processes, outcome.take_error());
  return outcome;
}

measure::Plan plan_for_seconds(double seconds) {
  measure::Plan plan;
  plan.budget_seconds = seconds;
  const double launches = std::round(kLaunches * seconds / kSecondsForLaunches);
  plan.launches = static_cast<std::uint32_t>(std::clamp<double>(launches, kLaunches, kMostLaunches));
  return plan;
}

}  // namespace etalon::cli
