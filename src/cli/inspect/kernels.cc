#include "cli/inspect/kernels.h"

#include <fmt/core.h>

#include "cli/command.h"
#include "cli/engine_choice.h"
#include "cli/kernel_table.h"
#include "cli/run_report.h"
#include "runtime/module.h"

namespace etalon::cli {

Result<int> show_kernels(const KernelQuestion& question, const Console& console) {
  RunReport report;
  runtime::ModuleOptions options;
  ETALON_TRY(const Engine engine, Engine::choose({question.engine, question.isa, question.threads, question.math},
                                                 options.method, report));
  ETALON_TRY(auto module, runtime::Module::load(question.program, options));
  ETALON_TRY(runtime::Method* const method, module.method(""), question.program);
  report.model = question.program;
  report.method = method->name();
  report.memory_bytes = method->memory_bytes();
  const std::vector<KernelRecord> kernels = kernel_records(*method);
  if (question.json) {
    console.print(to_json(report, &kernels));
    return kExitOk;
  }
  for (const std::string& note : report.notes) console.note("note: " + note);
  console.print(fmt::format("{}: method {}, engine {}, at most {}, {} thread{}\n", console.bold(question.program), report.method,
                            report.engine, report.isa, report.threads, report.threads == 1 ? "" : "s"));
  console.print(kernel_table(kernels, console));
  return kExitOk;
}

}  // namespace etalon::cli
