#include "analysis/validate.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "analysis/json_reading.h"
#include "analysis/validate_check.h"

namespace etalon::analysis {
namespace {

// What a killed writer or runner left behind.
void check_leftovers(Check& check) {
  std::error_code error;
  const std::string& folder = check.run_dir();
  using Walk = std::filesystem::recursive_directory_iterator;
  for (Walk walk(folder, std::filesystem::directory_options::skip_permission_denied, error); !error && walk != Walk(); walk.increment(error)) {
    const std::string name = walk->path().filename().string();
    if (name.find(".tmp-") == std::string::npos && name.find(".scratch.") == std::string::npos) continue;
    const std::string path = walk->path().string();
    check.defect(path.substr(std::min(folder.size() + 1, path.size())), "left over from an interrupted write; delete it");
  }
}

void check_folder(Check& check) {
  const auto root = check.object("manifest.json", kManifestSchema);
  if (!root) return;
  const auto manifest = read_manifest(check.run_dir());
  if (!manifest.ok()) {
    check.defect("manifest.json", "cannot be read: {}", manifest.error().message());
    return;
  }
  check_manifest(*root, *manifest, check);
  check_samples(*manifest, check);
  check_analysis(*manifest, check);
}

// The Arm kit's manifests name no schema.
bool is_foreign(const std::string& run_dir) {
  const auto root = read_json_file(run_dir + "/manifest.json");
  return root.ok() && member(*root, "schema") == nullptr && member(*root, "results") != nullptr;
}

}  // namespace

Result<Validation> validate_run_folder(const std::string& run_dir) {
  std::error_code error;
  if (!std::filesystem::is_directory(run_dir, error)) return not_found(run_dir + ": no such run folder");
  Check check(run_dir);
  if (is_foreign(run_dir)) check.set_foreign();
  check_folder(check);
  check_leftovers(check);
  return check.take();
}

}  // namespace etalon::analysis
