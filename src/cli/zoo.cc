// `etalon zoo`: the built-in models.
#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "cli/command.h"
#include "cli/exporter.h"

namespace etalon::cli {
namespace {

Result<int> list_models(Console& console, bool json) {
  ETALON_TRY(const std::string folder, zoo_folder());
  ETALON_TRY(const std::string text, read_text_file(folder + "/zoo.json"));
  if (json) {
    console.print(text);
    return kExitOk;
  }
  const auto index = nlohmann::json::parse(text, nullptr, false);
  const auto models = index.is_object() ? index.find("models") : index.end();
  if (index.is_discarded() || models == index.end() || !models->is_array()) {
    return invalid_input(folder + "/zoo.json: found no list of models");
  }
  for (const auto& model : *models) {
    const bool trained = model.value("weights", std::string()) == "trained";
    console.print(fmt::format("  {:24} {}{}\n", "zoo:" + model.value("name", std::string("?")), model.value("description", std::string()),
                              trained ? "" : console.dim(" (random weights)")));
  }
  return kExitOk;
}

Action declare(CLI::App& app) {
  auto json = std::make_shared<bool>(false);
  app.add_flag("--json", *json, "Machine output on stdout");
  return [json](Console& console) { return list_models(console, *json); };
}

}  // namespace

extern const Command kZooCommand;
constinit const Command kZooCommand{"zoo", "The built-in models", "  etalon zoo\n  etalon export zoo:resnet18", declare};

}  // namespace etalon::cli
