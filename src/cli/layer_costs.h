// What each layer of an int8 export costs in accuracy and saves in time, measured on this machine.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/layer_costs.h"
#include "base/result.h"
#include "cli/exporter.h"

namespace etalon::cli {

struct LayerCostsRequest {
  std::string float_program;  // .pte with its .etrecord beside it, of the same model, backend and passes
  std::string int8_program;   // likewise
  std::vector<analysis::QuantisedLayer> layers;
  std::string engine, isa;  // empty: the runner's own choice
  std::uint32_t threads = 1;
  double seconds = 10;  // of measuring both, about
  std::string run_dir;  // where recordings and reports of the two go
  std::function<void(std::string_view what, std::size_t done, std::size_t all)> progress;
};

// The layers that an export with QuantiseRequest::explain found, for the above.
std::vector<analysis::QuantisedLayer> quantised_layers(const QuantiseOutcome& outcome);

// Times both programs, interleaved, and records their operators. Errors: no .etrecord beside a program, those
// of compare_programs().
Result<analysis::LayerCosts> measure_layer_costs(const LayerCostsRequest& request);

// The same for an export that was just made with QuantiseRequest::explain: its float twin is exported into
// `request.run_dir` first. `request` needs neither programs nor layers. Errors: several methods, those of
// exporting and the above.
Result<analysis::LayerCosts> layer_costs_of(const ExportRequest& exported, const ExportOutcome& outcome,
                                            LayerCostsRequest request);

}  // namespace etalon::cli
