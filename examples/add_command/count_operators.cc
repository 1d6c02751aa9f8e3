// `etalon count-operators FILE.pte`: how many different operators a program calls.
#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include <memory>
#include <string>

#include "base/file.h"
#include "cli/command.h"
#include "formats/pte/pte.h"

namespace etalon::cli {
namespace {

Result<std::size_t> count(const std::string& path) {
  ETALON_TRY(const MappedFile file, MappedFile::open(path));
  ETALON_TRY(const formats::pte::Program program, formats::pte::decode(file.bytes()), path);
  std::size_t operators = 0;
  for (const formats::pte::ExecutionPlan& plan : program.plans) operators += plan.operators.size();
  return operators;
}

Action declare(CLI::App& app) {
  auto path = std::make_shared<std::string>();
  app.add_option("program", *path, "A .pte file")->required();
  return [path](Console& console) -> Result<int> {
    ETALON_TRY(const std::size_t operators, count(*path));
    console.print(fmt::format("{}\n", operators));
    return kExitOk;
  };
}

}  // namespace

extern const Command kCountOperatorsCommand;
constinit const Command kCountOperatorsCommand{"count-operators", "How many different operators a program calls",
                                               "  etalon count-operators model.pte", declare};

}  // namespace etalon::cli
