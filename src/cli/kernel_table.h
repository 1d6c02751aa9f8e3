// Kernels of a loaded method as a table: what runs each operator, on which instruction set, and why not a better one.
#pragma once

#include <string>
#include <vector>

#include "cli/console.h"
#include "cli/run_report.h"

namespace etalon::cli {

// One line per operator, then how much work each instruction set does and why operators have not got the best one.
std::string kernel_table(const std::vector<KernelRecord>& kernels, const Console& console);

}  // namespace etalon::cli
