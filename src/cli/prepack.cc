// `etalon prepack`: weights packed once and kept beside the program, so that loading it maps them.
#include "cli/prepack.h"

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include <memory>
#include <string>

#include "base/file.h"
#include "cli/command.h"
#include "cli/engine_choice.h"
#include "platform/clock.h"
#include "runtime/module.h"

namespace etalon::cli {
namespace {

struct Loaded {
  std::unique_ptr<runtime::Module> module;
  double ms = 0;
};

// Every method of the program, because each has delegates of its own.
Result<Loaded> load_all(const std::string& model, const runtime::ModuleOptions& options) {
  const std::uint64_t start = platform::now_ns();
  ETALON_TRY(auto module, runtime::Module::load(model, options));
  for (const std::string& name : module.program().method_names()) {
    if (auto method = module.method(name); !method.ok()) return method.take_error().with_context(model);
  }
  const double ms = platform::ns_to_ms(platform::now_ns() - start);
  return Loaded{std::make_unique<runtime::Module>(std::move(module)), ms};
}

Result<Engine> choose(const PrepackRequest& flags, runtime::ModuleOptions& options, RunReport& report) {
  options.external_data = flags.data;
  return Engine::choose({"native", flags.isa, 1, flags.math}, options.method, report);
}

Action declare(CLI::App& app) {
  auto flags = std::make_shared<PrepackRequest>();
  app.add_option("model", flags->model, "The .pte program")->required();
  app.add_option("--isa", flags->isa, "Highest instruction set to use");
  app.add_option("--math", flags->math, kMathHelp);
  app.add_option("--data", flags->data, "A .ptd file with weights stored outside of the program");
  return [flags](Console& console) -> Result<int> {
    ETALON_TRY(const PrepackOutcome outcome, prepack_program(*flags));
    console.print(fmt::format("{}: {:.1f} MB for {}; loading takes {:.2f} ms with it, {:.2f} ms without\n", outcome.path,
                              static_cast<double>(outcome.bytes) / 1e6, outcome.isa, outcome.mapped_ms, outcome.packed_ms));
    return kExitOk;
  };
}

}  // namespace

Result<PrepackOutcome> prepack_program(const PrepackRequest& request) {
  RunReport report;
  runtime::ModuleOptions options;
  ETALON_TRY(Engine engine, choose(request, options, report));
  ETALON_CHECKED(engine.collect_packed());
  ETALON_TRY(const Loaded packed, load_all(request.model, options));
  ETALON_TRY(const std::string path, engine.write_packed(request.model));

  // Once more, as every later load will go.
  runtime::ModuleOptions again;
  ETALON_TRY(Engine mapping, choose(request, again, report));
  mapping.use_packed(request.model, report);
  ETALON_TRY(const Loaded mapped, load_all(request.model, again));
  ETALON_TRY(const MappedFile file, MappedFile::open(path));
  return PrepackOutcome{path, report.isa, file.bytes().size(), packed.ms, mapped.ms};
}

extern const Command kPrepackCommand;
constinit const Command kPrepackCommand{
    "prepack",
    "Keep packed weights beside a program, so that it loads in an instant",
    "  etalon prepack model.pte                  # writes model.pte.prepacked, which etalon run then maps\n"
    "  etalon prepack model.pte --isa avx2",
    &declare,
};

}  // namespace etalon::cli
