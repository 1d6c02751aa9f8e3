#include "cli/user_cache.h"

#include <cstdlib>

namespace etalon::cli {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

}  // namespace

Result<std::string> user_cache_folder() {
  if (std::string chosen = variable("ETALON_CACHE_DIR"); !chosen.empty()) return chosen;
  if (const std::string base = variable("XDG_CACHE_HOME"); !base.empty()) return base + "/etalon";
  if (const std::string home = variable("HOME"); !home.empty()) return home + "/.cache/etalon";
  return not_found("no cache folder: none of ETALON_CACHE_DIR, XDG_CACHE_HOME and HOME is set");
}

}  // namespace etalon::cli
