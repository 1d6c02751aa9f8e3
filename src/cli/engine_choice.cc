#include "cli/engine_choice.h"

#include <fmt/core.h>

namespace etalon::cli {

Status choose_engine(std::string_view engine, std::string_view isa, runtime::MethodOptions&, RunReport& report) {
  if (engine == "executorch") {
    return unsupported(
        "engine executorch is not part of this build; run an executor_runner of your own (runner_path in a profile "
        "configuration), or use --engine portable");
  }
  if (!engine.empty() && engine != "portable" && engine != "native") {
    return invalid_input(fmt::format("engine is '{}', want native, portable or executorch", engine));
  }
  report.engine = "portable";
  report.engine_wanted = engine.empty() ? "native" : std::string(engine);
  report.isa = "portable";
  report.isa_wanted = std::string(isa);
  if (engine == "native") report.notes.emplace_back("engine native has no kernels of its own yet, portable ones run");
  if (!isa.empty() && isa != "portable" && isa != "scalar") {
    report.notes.push_back(fmt::format("isa {} was asked for, portable kernels run", isa));
  }
  return {};
}

void choose_threads(int wanted, RunReport& report) {
  report.threads = 1;
  report.threads_wanted = wanted > 0 ? wanted : 0;
  if (wanted > 1) report.notes.push_back(fmt::format("{} threads were asked for, portable kernels use one", wanted));
}

}  // namespace etalon::cli
