#include "analysis/layer_costs.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "measure/statistics.h"

namespace etalon::analysis {
namespace {

using Rows = std::vector<std::size_t>;

void add_once(std::vector<std::string>& names, const std::string& name) {
  if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
}

// Which operators of a profile compute which layers.
class Owners {
 public:
  Owners(const std::vector<QuantisedLayer>& layers, const CostedProgram& program)
      : program_(program), layers_of_(program.profile.operators.size()), rows_of_(layers.size()) {
    std::map<std::string, std::size_t> layer_of;
    for (std::size_t i = 0; i < layers.size(); ++i) {
      for (const std::string& value : layers[i].values) layer_of.emplace(value, i);
    }
    for (std::size_t row = 0; row < layers_of_.size(); ++row) {
      for (const std::string& name : program.names.of(program.profile.operators[row], program.facts)) {
        const auto found = layer_of.find(name);
        if (found != layer_of.end()) layers_of_[row].insert(found->second);
      }
      for (const std::size_t layer : layers_of_[row]) rows_of_[layer].push_back(row);
    }
  }

  // The operators of these layers, each once.
  Rows rows_of(const std::set<std::size_t>& layers) const {
    std::set<std::size_t> rows;
    for (const std::size_t layer : layers) rows.insert(rows_of_[layer].begin(), rows_of_[layer].end());
    return {rows.begin(), rows.end()};
  }

  // Adds the layers that one of these rows computes as well.
  void add_companions(const Rows& rows, std::set<std::size_t>& layers) const {
    for (const std::size_t row : rows) layers.insert(layers_of_[row].begin(), layers_of_[row].end());
  }

  // Whether the clock that timed one of the rows counts in longer steps than it took.
  bool is_too_short(const Rows& rows) const {
    return std::any_of(rows.begin(), rows.end(),
                       [&](std::size_t row) { return program_.profile.operators[row].below_resolution; });
  }

  double ms_of(const Rows& rows) const {
    double ms = 0;
    for (const std::size_t row : rows) ms += program_.profile.operators[row].avg_ms;
    return ms;
  }

  // Sums by launch; empty when not every row has as many launches.
  std::vector<double> launches_of(const Rows& rows) const {
    std::vector<double> sums;
    for (const std::size_t row : rows) {
      const std::vector<double>& times = program_.profile.operators[row].launch_ms;
      if (sums.empty()) sums.resize(times.size());
      if (times.empty() || times.size() != sums.size()) return {};
      for (std::size_t i = 0; i < times.size(); ++i) sums[i] += times[i];
    }
    return sums;
  }

  double outside_ms() const {
    double ms = 0;
    for (std::size_t row = 0; row < layers_of_.size(); ++row) {
      if (layers_of_[row].empty()) ms += program_.profile.operators[row].avg_ms;
    }
    return ms;
  }

 private:
  CostedProgram program_;
  std::vector<std::set<std::size_t>> layers_of_;  // by row
  std::vector<Rows> rows_of_;                     // by layer
};

// With what kernels compute together with them, in either program; until nothing is added.
std::set<std::size_t> with_companions(const Owners& in_float, const Owners& in_int8,
                                      std::set<std::size_t> layers) {
  for (std::size_t before = 0; before != layers.size();) {
    before = layers.size();
    in_float.add_companions(in_float.rows_of(layers), layers);
    in_int8.add_companions(in_int8.rows_of(layers), layers);
  }
  return layers;
}

void put_times(const Owners& in_float, const Owners& in_int8, const std::set<std::size_t>& members,
               LayerCost& cost) {
  const Rows float_rows = in_float.rows_of(members);
  const Rows int8_rows = in_int8.rows_of(members);
  if (float_rows.empty() || int8_rows.empty()) {
    cost.why_no_time = fmt::format("no operator of the {} program is known to compute it",
                                   float_rows.empty() ? "float" : "int8");
    return;
  }
  if (in_float.is_too_short(float_rows) || in_int8.is_too_short(int8_rows)) {
    cost.why_no_time = "an operator is shorter than the clock of the delegate that reported it can tell";
    return;
  }
  cost.float_ms = in_float.ms_of(float_rows);
  cost.int8_ms = in_int8.ms_of(int8_rows);
  cost.saved_ms = *cost.float_ms - *cost.int8_ms;
  const std::vector<double> before = in_float.launches_of(float_rows);
  const std::vector<double> after = in_int8.launches_of(int8_rows);
  constexpr double kConfidence = 0.95;
  if (before.size() != after.size() || before.size() < measure::fewest_for_signed_rank(1 - kConfidence))
    return;
  std::vector<double> differences;
  for (std::size_t i = 0; i < before.size(); ++i) differences.push_back(before[i] - after[i]);
  // Medians of launches, as the interval: averages count interruptions, and would not add up with it.
  cost.float_ms = measure::median(before);
  cost.int8_ms = measure::median(after);
  cost.saved_ms = measure::hodges_lehmann(differences);
  cost.saved_interval = measure::signed_rank_interval(differences, kConfidence);
}

// What should go back to float first: the most accuracy for the least time.
bool goes_first(const LayerCost& a, const LayerCost& b) {
  const auto rank = [](const LayerCost& cost) { return cost.db_per_us().value_or(-1); };
  if (rank(a) != rank(b)) return rank(a) > rank(b);
  constexpr double kNone = -std::numeric_limits<double>::infinity();
  return a.gain_db.value_or(kNone) > b.gain_db.value_or(kNone);
}

nlohmann::ordered_json number(const std::optional<double>& value) {
  return value && std::isfinite(*value) ? nlohmann::ordered_json(*value) : nlohmann::ordered_json(nullptr);
}

}  // namespace

ValueNames::ValueNames(const formats::etrecord::EtRecord& record, const std::string& method) {
  const formats::etrecord::GraphInfo* graph = record.edge_graph(method);
  if (graph == nullptr) return;
  for (const formats::etrecord::NodeInfo& node : graph->nodes) {
    if (node.debug_handle > 0) by_handle_.emplace(node.debug_handle, node.name);
  }
  const auto found = record.maps.debug_handles.find(method);
  if (found != record.maps.debug_handles.end()) handles_ = found->second;
}

std::vector<std::string> ValueNames::of(const NodeFacts& node) const {
  std::vector<std::string> names;
  const auto add = [&](std::int64_t handle) {
    const auto found = by_handle_.find(handle);
    if (found != by_handle_.end()) add_once(names, found->second);
  };
  if (node.debug_handle >= 0) {
    add(node.debug_handle);
  } else if (node.node < 0) {  // an operator call; the handles of a delegate call are those of all its nodes
    const auto found = handles_.find(node.instruction);
    if (found != handles_.end()) std::for_each(found->second.begin(), found->second.end(), add);
  }
  return names;
}

std::vector<std::string> ValueNames::of(const OperatorRow& row, const ModelFacts& facts) const {
  std::vector<std::string> names;
  for (const std::size_t node : row.nodes) {
    if (node >= facts.nodes.size()) continue;
    for (const std::string& name : of(facts.nodes[node])) add_once(names, name);
  }
  return names;
}

std::optional<double> LayerCost::db_per_us() const {
  if (!gain_db || !saved_ms || *gain_db <= 0) return std::nullopt;
  if (*saved_ms <= 0) return std::numeric_limits<double>::infinity();
  return *gain_db / (*saved_ms * 1e3);
}

LayerCosts join_layer_costs(const std::vector<QuantisedLayer>& layers, const CostedProgram& in_float,
                            const CostedProgram& in_int8) {
  LayerCosts costs;
  costs.float_ms = in_float.profile.accounting.end_to_end_ms;
  costs.int8_ms = in_int8.profile.accounting.end_to_end_ms;
  const Owners float_owners(layers, in_float);
  const Owners int8_owners(layers, in_int8);
  costs.float_outside_ms = float_owners.outside_ms();
  costs.int8_outside_ms = int8_owners.outside_ms();
  std::map<std::string, std::size_t> by_name;
  for (std::size_t i = 0; i < layers.size(); ++i) by_name.emplace(layers[i].name, i);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const QuantisedLayer& layer = layers[i];
    LayerCost cost{layer.name, layer.kind, layer.gain_db, layer.follow, {}, {}, {}, {}, {}, {}};
    std::set<std::size_t> members = {i};
    for (const std::string& other : layer.follow) {
      const auto found = by_name.find(other);
      if (found != by_name.end()) members.insert(found->second);
    }
    const std::set<std::size_t> all = with_companions(float_owners, int8_owners, members);
    for (const std::size_t member : all) {
      if (!members.contains(member)) cost.together_with.push_back(layers[member].name);
    }
    put_times(float_owners, int8_owners, all, cost);
    costs.layers.push_back(std::move(cost));
  }
  std::stable_sort(costs.layers.begin(), costs.layers.end(), goes_first);
  return costs;
}

std::string layer_costs_json(const LayerCosts& costs) {
  using Json = nlohmann::ordered_json;
  Json layers = Json::array();
  for (const LayerCost& cost : costs.layers) {
    Json row = {{"name", cost.name},
                {"kind", cost.kind},
                {"gain_db", number(cost.gain_db)},
                {"float_ms", number(cost.float_ms)},
                {"int8_ms", number(cost.int8_ms)},
                {"saved_ms", number(cost.saved_ms)},
                {"follow", cost.follow},
                {"together_with", cost.together_with}};
    if (cost.saved_interval) row["saved_interval_ms"] = {cost.saved_interval->low, cost.saved_interval->high};
    if (!cost.why_no_time.empty()) row["why_no_time"] = cost.why_no_time;
    layers.push_back(std::move(row));
  }
  const Json json = {{"schema", "etalon.layer_costs/1"},
                     {"float_ms", costs.float_ms},
                     {"int8_ms", costs.int8_ms},
                     {"float_outside_layers_ms", costs.float_outside_ms},
                     {"int8_outside_layers_ms", costs.int8_outside_ms},
                     {"layers", layers}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace etalon::analysis
