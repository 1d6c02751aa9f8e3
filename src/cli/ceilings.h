// The measured ceilings of this machine, kept in the user's cache folder.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/ceilings.h"
#include "base/result.h"

namespace etalon::cli {

struct CeilingsOptions {
  std::vector<std::uint32_t> threads = {1};  // measured for each
  double seconds = 3;                        // in all, about
  std::function<void(std::string_view what, std::size_t done, std::size_t all)> progress;
};
// Measures; never fails because an instruction set is missing, that one is left out.
Result<analysis::Ceilings> measure_ceilings(const CeilingsOptions& options);

// $ETALON_CACHE_DIR, else $XDG_CACHE_HOME/etalon, else ~/.cache/etalon, then peak.json; nothing where there is none, it is
// damaged, or it is of another CPU.
std::optional<analysis::Ceilings> stored_ceilings();
Status store_ceilings(const analysis::Ceilings& ceilings);

}  // namespace etalon::cli
