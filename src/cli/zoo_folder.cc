#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include "base/file.h"
#include "cli/exporter.h"

namespace etalon::cli {
namespace {

constexpr std::string_view kZooPrefix = "zoo:";

std::string program_folder() {
  std::array<char, 4096> path{};
  const ssize_t size = ::readlink("/proc/self/exe", path.data(), path.size() - 1);
  if (size <= 0) return ".";
  const std::string text(path.data(), static_cast<std::size_t>(size));
  return text.substr(0, text.rfind('/'));
}

std::string names_in(const std::string& folder) {
  std::string names;
  std::error_code error;
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".pt2") found.push_back(entry.path().stem().string());
  }
  std::sort(found.begin(), found.end());
  for (const std::string& name : found) names += (names.empty() ? "" : ", ") + name;
  return names;
}

}  // namespace

Result<std::string> zoo_folder() {
  if (const char* chosen = std::getenv("ETALON_ZOO"); chosen != nullptr && *chosen != '\0') return std::string(chosen);
  const std::string base = program_folder();
  // Installed beside the program, or in the source tree three levels above build/<preset>/bin.
  for (const char* relative : {"/../share/etalon/zoo", "/../../../zoo", "/zoo"}) {
    if (file_exists(base + relative + "/zoo.json")) return base + relative;
  }
  return not_found("the model zoo is not beside the program; set ETALON_ZOO to its folder");
}

Result<std::string> resolve_model(const std::string& model) {
  if (!model.starts_with(kZooPrefix)) return model;
  ETALON_TRY(const std::string folder, zoo_folder());
  const std::string path = folder + "/" + model.substr(kZooPrefix.size()) + ".pt2";
  if (!file_exists(path)) return not_found(fmt::format("{}: no such built-in model; there are {}", model, names_in(folder)));
  return path;
}

std::string model_stem(const std::string& model) {
  if (model.starts_with(kZooPrefix)) return model.substr(kZooPrefix.size());
  return std::filesystem::path(model).stem().string();
}

}  // namespace etalon::cli
