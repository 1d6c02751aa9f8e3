// Ceilings as a table for people.
#pragma once

#include <string>

#include "analysis/ceilings.h"
#include "cli/console.h"

namespace etalon::cli {

std::string peak_table(const analysis::Ceilings& ceilings, const Console& console);

}  // namespace etalon::cli
