#include "cli/advise/quantise_candidates.h"

#include <fmt/core.h>

#include <algorithm>

namespace etalon::cli {

std::string SweepForm::what() const {
  std::string text;
  if (!is_int8()) {
    text = dtype == "fp16" ? "half weights and activations" : "as it is";
  } else if (scheme == "dynamic") {
    text = "dynamic, weights per " + granularity;
  } else {
    text = fmt::format("static, weights per {}, ranges by {}", granularity, observer);
  }
  if (!math.empty()) text += fmt::format(", computed with {} factors", math);
  constexpr std::size_t kShown = 3;
  for (std::size_t i = 0; i < std::min(kShown, in_float.size()); ++i)
    text += fmt::format("{} {}", i == 0 ? "; in float:" : ",", in_float[i]);
  if (in_float.size() > kShown) text += fmt::format(" and {} more", in_float.size() - kShown);
  return text;
}

std::string SweepForm::command() const {
  std::string text = "--dtype " + dtype;
  if (is_int8()) {
    text += scheme == "static" ? " --calib DATA" : " --quant " + scheme;
    if (granularity != "channel") text += " --granularity " + granularity;
    if (scheme == "static" && observer != "mse") text += " --observer " + observer;
    for (const std::string& layer : in_float) text += " --quant-skip =" + layer;
  }
  if (!math.empty()) text += fmt::format("  (run with --math {})", math);
  return text;
}

std::string SweepForm::file_name() const {
  std::string text = name;
  std::ranges::replace(text, ' ', '_');
  return text;
}

std::vector<SweepForm> uniform_forms() {
  std::vector<SweepForm> forms;
  forms.push_back({.name = "fp32"});
  forms.push_back({.name = "int8", .dtype = "int8"});
  for (const char* observer : {"minmax", "percentile", "moving-average"})
    forms.push_back({.name = fmt::format("int8 {}", observer), .dtype = "int8", .observer = observer});
  forms.push_back({.name = "int8 per tensor", .dtype = "int8", .granularity = "tensor"});
  forms.push_back({.name = "int8 dynamic", .dtype = "int8", .scheme = "dynamic"});
  forms.push_back({.name = "fp16", .dtype = "fp16"});
  for (const char* math : {"bf16", "fp16"})
    forms.push_back({.name = fmt::format("fp32 math {}", math), .math = math});
  return forms;
}

std::vector<SweepForm> mixed_forms(const analysis::LayerCosts& costs) {
  constexpr double kNoise = 0.1;  // dB: other samples would turn such gains around
  std::vector<std::string> harmful;
  for (const analysis::LayerCost& cost : costs.layers) {
    if (cost.gain_db.value_or(0) > kNoise) harmful.push_back(cost.name);
  }
  std::vector<SweepForm> forms;
  for (std::size_t k = 1; k == 1 ? !harmful.empty() : k <= harmful.size() / 2; k *= 2) {
    SweepForm form{.name = fmt::format("int8 but {}", k), .dtype = "int8"};
    form.in_float.assign(harmful.begin(), harmful.begin() + static_cast<std::ptrdiff_t>(k));
    forms.push_back(std::move(form));
  }
  return forms;
}

ExportRequest export_request(const SweepForm& form, const std::string& model, const std::string& backend,
                             const QuantiseRequest& quantise, const std::string& folder) {
  ExportRequest request;
  request.model = model;
  request.backend = backend;
  request.dtype = form.dtype;
  request.output = fmt::format("{}/{}_{}.pte", folder, model_stem(model), form.file_name());
  request.quantise = quantise;
  request.quantise.scheme = form.scheme;
  request.quantise.granularity = form.granularity;
  request.quantise.observer = form.observer;
  request.quantise.assess = false;
  for (const std::string& layer : form.in_float) request.quantise.selection.skip.push_back("=" + layer);
  return request;
}

}  // namespace etalon::cli
