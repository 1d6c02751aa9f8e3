// Kernels that a runner told of, as rows of `_kernels.csv`.
#pragma once

#include <vector>

#include "analysis/kernel_log.h"
#include "targets/target.h"

namespace etalon::cli {

// One row per operator; empty where the runner told none.
std::vector<analysis::KernelRow> told_kernels(const targets::RunOutcome& outcome);

}  // namespace etalon::cli
