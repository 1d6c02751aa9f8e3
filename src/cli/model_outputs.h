// The outputs of a program on given or drawn inputs, for holding two variants of a model against each other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace etalon::cli {

struct OutputsRequest {
  std::string model;                // .pte
  std::string engine, isa, math;    // as `etalon run` takes them; not "executorch"
  int threads = 1;
  std::vector<std::string> inputs;  // files, one per tensor input; empty: drawn, the same for every model
};

struct ModelOutput {
  std::vector<std::size_t> sizes;
  std::vector<float> values;  // row-major
};
struct ModelRun {
  std::vector<std::vector<std::size_t>> inputs;  // sizes of every tensor input
  std::vector<ModelOutput> outputs;              // every tensor output
};

// One run as model_outputs() makes it, with the sizes of what went in and came out.
Result<ModelRun> run_model_once(const OutputsRequest& request);

// Values of every floating or quantised tensor output in row-major order, as floats. Inputs that are drawn are uniform in
// [-1, 1) where they are floating, else ones, so that two models with inputs of equal sizes see the same numbers.
// Errors: those of the files and of the run.
Result<std::vector<std::vector<float>>> model_outputs(const OutputsRequest& request);

}  // namespace etalon::cli
