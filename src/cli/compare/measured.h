// Comparing programs by running them: an interleaved session for the verdict, then recorded runs for the
// operators, then one run each for the numbers, all kept in a run folder from which an interrupted comparison
// goes on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/run_report.h"
#include "base/result.h"
#include "measure/verdict.h"

namespace etalon::cli {

// Every program with every engine, instruction set and number of threads is one run; the first is the
// baseline.
struct CompareRequest {
  std::vector<std::string> programs;  // .pte
  std::vector<std::string> engines;   // empty: the runner's default
  std::vector<std::string> isas;      // empty: the best
  std::vector<std::uint32_t> threads = {1};
  std::vector<std::string> inputs;  // files; empty: those stored with the program, else ones
  double seconds = 20;              // of measuring in all, about
  std::uint32_t launches = 0;       // 0: by the seconds
  double margin = 0.01;             // smaller differences do not matter
  bool trace = true;                // record operators
  bool fresh = false;               // forget what an earlier comparison measured
  std::string output_dir;           // empty: out_compare/<first>_vs_<second>
  std::function<void(std::string_view what, std::size_t done, std::size_t all)> progress;
};

struct MeasuredComparison {
  std::string run_dir;
  analysis::Report report;  // with comparisons (each against the first) and, of more than two runs, the table
  bool reused = false;      // everything was measured before
};

// Writes manifest.json, metrics.json, samples, recordings and reports. Errors: kInvalidInput (fewer than two
// runs, a file that is no program), kNotFound, kRunFailed (naming the run), kIo.
Result<MeasuredComparison> compare_programs(const CompareRequest& request);

}  // namespace etalon::cli
