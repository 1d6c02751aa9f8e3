#include "cli/compare/compared_arm.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <set>

#include "analysis/content_hash.h"
#include "analysis/run_report.h"
#include "base/file.h"
#include "cli/model_facts.h"
#include "cli/runner_paths.h"
#include "measure/experiment.h"

namespace etalon::cli {
namespace {

// Two files of one name are told apart by their folders.
std::vector<std::string> program_names(const std::vector<std::string>& programs) {
  std::vector<std::string> names;
  for (const std::string& path : programs) names.push_back(folder_name(measure::model_name_of(path)));
  const std::set<std::string> distinct(names.begin(), names.end());
  if (distinct.size() == names.size()) return names;
  for (std::size_t i = 0; i < programs.size(); ++i) {
    const std::string folder = programs[i].substr(
        0, programs[i].find_last_of('/') == std::string::npos ? 0 : programs[i].find_last_of('/'));
    const std::string last = folder.substr(folder.rfind('/') + 1);
    if (!last.empty()) names[i] = folder_name(last) + "_" + names[i];
  }
  std::map<std::string, int> seen;
  for (std::string& name : names) {
    const int count = ++seen[name];
    if (count > 1) name += fmt::format("_{}", count);
  }
  return names;
}

Status describe_program(ComparedArm& arm) {
  if (!file_exists(arm.request.model)) return not_found(arm.request.model + ": no such program");
  auto facts = read_model_facts(arm.request.model);
  if (!facts.ok()) return facts.take_error();
  arm.facts = std::move(facts).value();
  return {};
}

Status fill_result(ComparedArm& arm) {
  arm.result.experiment = arm.request.name;
  arm.result.threads = arm.request.threads;
  arm.result.status = "pending";
  arm.result.engine = arm.request.engine;
  arm.result.isa_wanted = arm.request.isa;
  arm.result.model = arm.request.model;
  ETALON_TRY(arm.result.model_hash, analysis::hash_file(arm.request.model));
  ETALON_TRY(arm.result.runner,
             arm.request.engine == "executorch" ? executorch_runner_path() : own_runner_path());
  return {};
}

// An experiment is a folder: what differs between the runs is in its name, besides threads.
std::string experiment_name(const std::string& program, const std::string& engine, const std::string& isa,
                            const CompareRequest& request) {
  std::string name = request.programs.size() > 1 ? program : std::string();
  const auto add = [&name](const std::string& part) { name += (name.empty() ? "" : "_") + part; };
  if (request.engines.size() > 1) add(engine);
  if (request.isas.size() > 1) add(isa);
  return name.empty() ? program : folder_name(name);
}

}  // namespace

std::string folder_name(std::string text) {
  for (char& c : text) {
    const bool kept = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '_' || c == '-' || c == '.';
    if (!kept) c = '_';
  }
  return text.empty() || text == "." || text == ".." ? "run" : text.substr(0, 100);
}

std::string ComparedArm::stem() const {
  return analysis::artifact_stem(folder_name(measure::model_name_of(request.model)), result.experiment,
                                 result.threads);
}

std::string comparison_name(const std::vector<ComparedArm>& arms) {
  std::vector<std::string> names;
  for (const ComparedArm& arm : arms) {
    const std::string name = arm.result.experiment;
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  std::string text = names.front();
  for (std::size_t i = 1; i < std::min<std::size_t>(names.size(), 3); ++i) text += "_vs_" + names[i];
  if (names.size() > 3) text += fmt::format("_and_{}_more", names.size() - 3);
  return text.substr(0, 200);
}

Result<std::vector<ComparedArm>> make_arms(const CompareRequest& request) {
  const std::vector<std::string> engines =
      request.engines.empty() ? std::vector<std::string>{""} : request.engines;
  const std::vector<std::string> isas = request.isas.empty() ? std::vector<std::string>{""} : request.isas;
  const std::vector<std::string> names = program_names(request.programs);
  std::vector<ComparedArm> arms;
  for (std::size_t program = 0; program < request.programs.size(); ++program) {
    for (const std::string& engine : engines) {
      for (const std::string& isa : isas) {
        for (const std::uint32_t threads : request.threads) {
          ComparedArm arm;
          arm.request.model = request.programs[program];
          arm.request.engine = engine;
          arm.request.isa = isa;
          arm.request.threads = threads;
          arm.request.inputs = request.inputs;
          arm.request.name = experiment_name(names[program], engine, isa, request);
          ETALON_CHECKED(describe_program(arm));
          ETALON_CHECKED(fill_result(arm));
          arm.name =
              request.threads.size() > 1 ? analysis::run_name(arm.request.name, threads) : arm.request.name;
          if (request.threads.size() > 1) arm.request.name += fmt::format("_t{}", threads);
          arms.push_back(std::move(arm));
        }
      }
    }
  }
  constexpr std::size_t kMost = 64;
  if (arms.size() > kMost)
    return invalid_input(
        fmt::format("{} runs would have to be compared, at most {} can be", arms.size(), kMost));
  if (arms.size() < 2) {
    return invalid_input(
        "one program in one way is nothing to compare: give two programs, or vary one with --isa A,B, "
        "--threads 1,2 or --engine A,B");
  }
  return arms;
}

}  // namespace etalon::cli
