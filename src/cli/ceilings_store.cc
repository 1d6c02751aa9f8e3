// peak.json in the user's cache folder.
#include "base/file.h"
#include "cli/ceilings.h"
#include "cli/user_cache.h"
#include "platform/cpu_info.h"

namespace etalon::cli {
namespace {

Result<std::string> store_path() {
  ETALON_TRY(const std::string folder, user_cache_folder());
  return folder + "/peak.json";
}

}  // namespace

std::optional<analysis::Ceilings> stored_ceilings() {
  const auto path = store_path();
  if (!path.ok()) return std::nullopt;
  const auto text = read_text_file(*path, std::size_t{1} << 20);
  if (!text.ok()) return std::nullopt;
  auto ceilings = analysis::parse_ceilings(*text);
  if (!ceilings.ok() || ceilings->cpu != platform::read_cpu_info().model) return std::nullopt;
  return std::move(ceilings).value();
}

Status store_ceilings(const analysis::Ceilings& ceilings) {
  ETALON_TRY(const std::string path, store_path());
  ETALON_CHECKED(make_directories(path.substr(0, path.rfind('/'))));
  return write_file(path, analysis::ceilings_json(ceilings));
}

}  // namespace etalon::cli
