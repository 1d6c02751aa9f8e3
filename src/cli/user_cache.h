// Where things are kept that belong to this user and machine: measured ceilings, the record of advice that was tried.
#pragma once

#include <string>

#include "base/result.h"

namespace etalon::cli {

// $ETALON_CACHE_DIR, else $XDG_CACHE_HOME/etalon, else ~/.cache/etalon. Does not make the folder.
// Errors: kNotFound when none of the variables is set.
Result<std::string> user_cache_folder();

}  // namespace etalon::cli
