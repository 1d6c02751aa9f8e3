#include "cli/runner_paths.h"

#include "platform/process.h"

namespace etalon::cli {
namespace {

constexpr std::string_view kOwnRunner = "etalon-runner";
constexpr std::string_view kExecutorchRunner = "etalon-executorch-runner";

Result<std::string> beside_us(std::string_view name) {
  ETALON_TRY(const std::string self, platform::own_executable());
  return self.substr(0, self.rfind('/') + 1).append(name);
}

}  // namespace

Result<std::string> own_runner_path() {
  ETALON_TRY(const std::string runner, beside_us(kOwnRunner));
  if (platform::is_executable(runner)) return runner;
  return not_found(runner + ": the runner is missing beside etalon; build it, or name another with runner_path");
}

Result<std::string> executorch_runner_path() {
  ETALON_TRY(const std::string runner, beside_us(kExecutorchRunner));
  if (platform::is_executable(runner)) return runner;
  return not_found(runner +
                   ": engine executorch is not in this build, which found no ExecuTorch SDK; install the pip package "
                   "executorch 1.5 and configure with -DETALON_EXECUTORCH_SDK=<site-packages>/executorch (`./dev test` "
                   "does both), or name an executor_runner of your own with runner_path in a profile configuration");
}

bool is_own_runner(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  return name == kOwnRunner || name == kExecutorchRunner;
}

}  // namespace etalon::cli
