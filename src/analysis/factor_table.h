// Several runs of one model as a table over what they differ in: dtype, instruction set, threads, backend,
// engine. Pure functions, thread-safe.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "analysis/comparison.h"

namespace etalon::analysis {

// One run and everything that might be a factor: {"dtype", "fp32"}, {"isa", "avx2"}, {"threads", "4"}.
struct FactorRun {
  std::vector<std::pair<std::string, std::string>> levels;
  TableCell cell;  // `levels` of it are filled in
};

// Factors are the names whose levels differ between the runs, in the order of their first appearance; a run
// without a factor has the level "". Where no factor tells two runs apart their names do ("run").
// Interactions are looked for between pairs of factors, against the first run, where all four corners were
// measured.
FactorTable make_factor_table(const std::vector<FactorRun>& runs);

}  // namespace etalon::analysis
