// `etalon validate`: is a run folder whole?
#include "analysis/validate.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command.h"

namespace etalon::cli {
namespace {

struct Flags {
  std::string path;
  bool json = false;
};

std::string as_json(const Flags& flags, const analysis::Validation& validation) {
  using nlohmann::ordered_json;
  ordered_json root;
  root["schema"] = "etalon.validation/1";
  root["run_dir"] = flags.path;
  root["files_checked"] = validation.files_checked;
  root["defects"] = ordered_json::array();
  for (const analysis::Defect& defect : validation.defects) {
    root["defects"].push_back({{"file", defect.file}, {"what", defect.what}});
  }
  return root.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

Result<int> run(const Flags& flags, const Console& console) {
  std::string path = flags.path;
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  ETALON_TRY(const analysis::Validation validation, analysis::validate_run_folder(path));
  if (flags.json) {
    console.print(as_json(flags, validation));
  } else {
    for (const analysis::Defect& defect : validation.defects) {
      console.print(fmt::format("{} {}: {}\n", console.red("defect"), defect.file, defect.what));
    }
    console.print(validation.defects.empty()
                      ? fmt::format("{} {} files are present, readable and consistent\n", console.green("ok"),
                                    validation.files_checked)
                      : fmt::format("{} defects in {} files checked\n", validation.defects.size(),
                                    validation.files_checked));
  }
  return validation.defects.empty() ? kExitOk : kExitNo;
}

Action declare(CLI::App& app) {
  auto flags = std::make_shared<Flags>();
  app.add_option("run_dir", flags->path, "A run folder")->required();
  app.add_flag("--json", flags->json, "Print the result as JSON");
  return [flags](Console& console) { return run(*flags, console); };
}

}  // namespace

extern const Command kValidateCommand;
const Command kValidateCommand = {
    "validate", "Check that a run folder is whole: every file present, readable, consistent",
    "  etalon validate out_model/runs/linux", declare};

}  // namespace etalon::cli
