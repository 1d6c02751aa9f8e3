// A comparison of two recorded runs, from whatever is known of each: raw samples, latency, operators, program
// facts. Pure functions, thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "analysis/comparison.h"
#include "analysis/factor_table.h"
#include "analysis/manifest.h"
#include "analysis/model_facts.h"
#include "analysis/profile.h"
#include "measure/samples.h"

namespace etalon::analysis {

// Everything may be null except that some time must be known. Nothing is owned.
struct RecordedRun {
  std::string name;  // for people: "avx2, 1 thread"
  const RunResult* result = nullptr;
  const Profile* profile = nullptr;
  const ModelFacts* facts = nullptr;              // of the program that `profile` ran
  const measure::Recording* recording = nullptr;  // whose arm `arm` this run is
  std::size_t arm = 0;
};

// The verdict comes from the samples: paired block by block where both runs are of one session, else as two
// sessions (wider, see measure/verdict.h); without samples there is none. Operators are compared where both
// profiles are known. Notes say what is missing.
Comparison compare_runs(const std::string& label, const RecordedRun& baseline, const RecordedRun& candidate,
                        const measure::JudgeOptions& judge = {});

// The runs as a table over dtype, backend, engine, isa and threads; each is judged against the first.
FactorTable table_of_runs(const std::vector<RecordedRun>& runs, const measure::JudgeOptions& judge = {});

// The type that most of a program's arithmetic is done in: "float32"; empty where there is none.
std::string main_dtype(const ModelFacts& facts);

}  // namespace etalon::analysis
