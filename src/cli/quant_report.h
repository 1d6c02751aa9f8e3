// The flags of int8 exports, and what such an export says for people and for programs.
#pragma once

#include <nlohmann/json.hpp>

#include "base/result.h"
#include "cli/console.h"
#include "cli/exporter.h"

namespace CLI {
class App;
}

namespace etalon::cli {

void declare_quantise_flags(CLI::App& app, QuantiseRequest& request);
// Of these, the ones about data: calibration, images, what accuracy is judged on.
void declare_data_flags(CLI::App& app, QuantiseRequest& request);
// Preprocessing of zoo models where no flag gave any.
Status settle_data_flags(const std::string& model, QuantiseRequest& request);

// After parsing: preprocessing of zoo models where no flag gave any. kInvalidInput for flags that need
// --dtype int8.
Status settle_quantise_flags(ExportRequest& request);

void print_quantisation(const Console& console, const QuantiseOutcome& outcome, bool explain);
nlohmann::ordered_json quantisation_json(const QuantiseOutcome& outcome);

}  // namespace etalon::cli
