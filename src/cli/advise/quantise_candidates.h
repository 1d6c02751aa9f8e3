// What a sweep tries, and the files it makes of them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/layer_costs.h"
#include "base/result.h"
#include "cli/exporter.h"

namespace etalon::cli {

// One way to export and run a model.
struct SweepForm {
  std::string name;            // "int8 minmax"
  std::string dtype = "fp32";  // as --dtype
  std::string scheme = "static";
  std::string granularity = "channel";
  std::string observer = "mse";
  std::vector<std::string> in_float = {};  // layers
  std::string math = {};                   // of running, as --math

  std::string what() const;     // for people
  std::string command() const;  // flags that give it
  std::string file_name() const;
  bool is_int8() const { return dtype == "int8"; }
};

// Float first, then static int8 (mse, per channel), which mixed forms start from; then the others.
std::vector<SweepForm> uniform_forms();

// Static int8 with the 1, 2, 4, 8, ... layers in float that bring the most accuracy for the time they cost;
// at most half of those that bring more than noise.
std::vector<SweepForm> mixed_forms(const analysis::LayerCosts& costs);

// The request that makes the form; accuracy is not assessed.
ExportRequest export_request(const SweepForm& form, const std::string& model, const std::string& backend,
                             const QuantiseRequest& quantise, const std::string& folder);

}  // namespace etalon::cli
