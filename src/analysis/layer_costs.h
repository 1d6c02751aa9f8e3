// What a layer costs in accuracy and saves in time when it computes on int8: the gains that an int8 export
// measured, joined with recorded profiles of the int8 and of the float program.
//
// Operators are assigned to layers by the names of the values they compute, which both programs' export
// records tell (our exporter keeps the names of the model's values through quantisation). The time of a layer
// counts what goes back to float with it; conversions at its borders belong to no layer, so what leaving one
// layer in float costs in new conversions is not in it. Pure functions, thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "analysis/model_facts.h"
#include "analysis/profile.h"
#include "formats/etrecord/etrecord.h"
#include "measure/signed_rank.h"

namespace etalon::analysis {

// One layer as the quantiser saw it.
struct QuantisedLayer {
  std::string name;                 // of its result
  std::string kind;                 // "conv"
  std::vector<std::string> values;  // every result that is computed along with it
  std::optional<double>
      gain_db;  // of the output's SNR, if this layer alone were left in float; absent: not tried
  std::vector<std::string> follow;  // layers, by name, that would be left in float with it
};

// What the names of computed values are in one program; from its export record.
class ValueNames {
 public:
  ValueNames() = default;
  explicit ValueNames(const formats::etrecord::EtRecord& record, const std::string& method = "forward");

  bool empty() const { return by_handle_.empty(); }
  // The results that an operator of a profile computes, each once, in order; empty where nothing is known.
  std::vector<std::string> of(const OperatorRow& row, const ModelFacts& facts) const;
  // Likewise of one node of the program.
  std::vector<std::string> of(const NodeFacts& node) const;

 private:
  std::map<std::int64_t, std::string> by_handle_;
  formats::etrecord::HandleMap handles_;  // by instruction, of operator calls
};

struct CostedProgram {
  const Profile& profile;
  const ModelFacts& facts;
  const ValueNames& names;
};

struct LayerCost {
  std::string name;
  std::string kind;
  std::optional<double> gain_db;
  std::vector<std::string> follow;
  // Layers that would stay on int8, but which an operator of either program computes together with these:
  // their times cannot be told apart, so they are in the times below, which then are more than leaving this
  // layer in float costs.
  std::vector<std::string> together_with;
  // With what follows it and is computed together with it. Absent where no operator is known to compute it.
  std::optional<double> float_ms;
  std::optional<double> int8_ms;
  std::optional<double> saved_ms;                   // float - int8
  std::optional<measure::Interval> saved_interval;  // 95 %, where both have enough traced launches
  std::string why_no_time;

  // The accuracy that leaving it in float brings, for each microsecond that it costs: infinite where it costs
  // none. Absent without a gain or a time, and where nothing is gained.
  std::optional<double> db_per_us() const;
};

struct LayerCosts {
  std::vector<LayerCost> layers;  // those with a gain: best to leave in float first; then the others in order
  double float_ms = 0;            // end to end
  double int8_ms = 0;
  double float_outside_ms = 0;  // operators that compute no layer, conversions among them
  double int8_outside_ms = 0;
};

LayerCosts join_layer_costs(const std::vector<QuantisedLayer>& layers, const CostedProgram& in_float,
                            const CostedProgram& in_int8);

std::string layer_costs_json(const LayerCosts& costs);

}  // namespace etalon::analysis
