// `etalon advise --quantise`: every type of arithmetic and way to quantise a model, exported, run side by
// side, judged.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/layer_costs.h"
#include "analysis/quantisation_sweep.h"
#include "base/result.h"
#include "cli/quantiser.h"

namespace etalon::cli {

struct SweepRequest {
  std::string model;  // .pt2 or zoo:NAME
  std::string backend = "xnnpack";
  QuantiseRequest quantise;  // the data; how to quantise is what is tried
  std::string engine, isa;   // empty: the runner's own choice
  std::uint32_t threads = 1;
  double seconds = 60;  // of measuring in all, about; exports come on top
  analysis::SweepCriterion criterion;
  std::string outdir;  // empty: out_<model>/quantise
  std::string keep;    // where the programs on the front are copied; empty: nowhere
  std::function<void(std::string_view what, std::size_t done, std::size_t all)> progress;  // may be empty
  std::function<void(std::string_view line)> tell;                                         // may be empty
};

struct SweepOutcome {
  std::string outdir;
  analysis::QuantisationSweep sweep;
  std::optional<analysis::LayerCosts> costs;  // of static int8; absent where it could not be tried
  std::vector<std::string> kept;              // files
};

// Writes programs, samples, sweep.json, sweep.html and layer_costs.json into the folder. A candidate that
// cannot be exported or run is left out, with the reason. Errors: those of the data and of the float model;
// kUnsupported when no int8 can be exported; a full disk.
Result<SweepOutcome> sweep_quantisation(const SweepRequest& request);

}  // namespace etalon::cli
