#include "cli/layer_costs.h"

#include <fmt/core.h>

#include <map>

#include "base/file.h"
#include "cli/compare/measured.h"
#include "cli/model_facts.h"
#include "formats/etrecord/etrecord.h"

namespace etalon::cli {
namespace {

Result<analysis::ValueNames> names_beside(const std::string& program) {
  const std::string path = program + ".etrecord";
  if (!file_exists(path)) {
    return not_found(fmt::format(
        "{}: no such record, and without it operators have no layers; export without --no-etrecord", path));
  }
  ETALON_TRY(const MappedFile file, MappedFile::open(path));
  ETALON_TRY(const formats::etrecord::EtRecord record, formats::etrecord::decode(file.bytes()), path);
  return analysis::ValueNames(record);
}

}  // namespace

std::vector<analysis::QuantisedLayer> quantised_layers(const QuantiseOutcome& outcome) {
  std::map<std::string, const LayerGain*> gains;
  for (const LayerGain& gain : outcome.gains) gains.emplace(gain.name, &gain);
  std::vector<analysis::QuantisedLayer> layers;
  for (const LayerCloseness& layer : outcome.layers) {
    analysis::QuantisedLayer row{layer.name, layer.kind, layer.values, {}, {}};
    if (const auto found = gains.find(layer.name); found != gains.end()) {
      row.gain_db = found->second->gain_db;
      row.follow = found->second->follow;
    }
    layers.push_back(std::move(row));
  }
  return layers;
}

Result<analysis::LayerCosts> measure_layer_costs(const LayerCostsRequest& request) {
  ETALON_TRY(const analysis::ValueNames float_names, names_beside(request.float_program));
  ETALON_TRY(const analysis::ValueNames int8_names, names_beside(request.int8_program));
  ETALON_TRY(const analysis::ModelFacts float_facts, read_model_facts(request.float_program));
  ETALON_TRY(const analysis::ModelFacts int8_facts, read_model_facts(request.int8_program));
  CompareRequest compare;
  compare.programs = {request.float_program, request.int8_program};
  if (!request.engine.empty()) compare.engines = {request.engine};
  if (!request.isa.empty()) compare.isas = {request.isa};
  compare.threads = {request.threads};
  compare.seconds = request.seconds;
  compare.output_dir = request.run_dir;
  compare.progress = request.progress;
  ETALON_TRY(const MeasuredComparison compared, compare_programs(compare));
  if (compared.report.profiles.size() != 2)
    return run_failed("operators of both programs could not be recorded");
  return analysis::join_layer_costs(request.layers, {compared.report.profiles[0], float_facts, float_names},
                                    {compared.report.profiles[1], int8_facts, int8_names});
}

Result<analysis::LayerCosts> layer_costs_of(const ExportRequest& exported, const ExportOutcome& outcome,
                                            LayerCostsRequest request) {
  if (outcome.methods.size() != 1 || !outcome.methods.front().quantisation) {
    return unsupported(
        fmt::format("costs of layers want one method in int8, found {}", outcome.methods.size()));
  }
  ETALON_CHECKED(make_directories(request.run_dir));
  ExportRequest twin = exported;
  twin.dtype = "fp32";
  twin.output =
      fmt::format("{}/{}_{}_fp32.pte", request.run_dir, model_stem(exported.model), exported.backend);
  twin.record = true;
  twin.save_graph.clear();
  ETALON_TRY(const ExportOutcome in_float, export_model(twin), "the float model");
  request.float_program = in_float.program_path;
  request.int8_program = outcome.program_path;
  request.layers = quantised_layers(*outcome.methods.front().quantisation);
  ETALON_TRY(analysis::LayerCosts costs, measure_layer_costs(request));
  ETALON_CHECKED(write_file(request.run_dir + "/layer_costs.json", analysis::layer_costs_json(costs)));
  return costs;
}

}  // namespace etalon::cli
