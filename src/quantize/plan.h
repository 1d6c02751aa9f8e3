// The plan: which sites compute on int8 and which values share parameters, decided before any data are seen.
//
// Convolutions and linear layers are worth int8 by themselves. Everything else joins where it keeps data in
// int8 between them: all that it reads is int8 already, and something in int8 reads its result. So an
// addition between convolutions joins, and the sum that runs through a transformer from one layer norm to the
// next stays in float, where it belongs.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "quantize/selection.h"
#include "quantize/site.h"

namespace etalon::quantize {

struct Options {
  bool dynamic =
      false;  // activations get their parameters while running; convolutions and linear layers only
  bool per_channel = true;  // weights: a scale per output channel; else one per tensor
  Selection selection = {};
};

// Values with one pair of parameters.
struct Group {
  std::vector<ir::ValueId> values;  // all members
  std::vector<ir::ValueId>
      observed;  // those whose ranges make the group's; the others move elements of these
  std::optional<Params> fixed;
};

inline constexpr std::uint32_t kNoGroup = 0xFFFFFFFFu;

struct Plan {
  bool dynamic = false;
  bool per_channel = true;
  std::vector<Site> sites;              // every one of the graph
  std::vector<std::string> float_why;   // by site; empty: it computes on int8
  std::vector<Group> groups;            // static plans only
  std::vector<std::uint32_t> group_of;  // by value; kNoGroup: stays float

  bool is_quantised(std::size_t site) const { return float_why[site].empty(); }
  std::size_t quantised_count() const;
};

// The graph is compact, float32 where it is floating, and has been through the pipeline. It outlives nothing
// of the plan. Errors: kUnsupported (quantised already), kNotFound (a selection that fits nothing),
// kInvalidInput (nothing to quantise).
Result<Plan> make_plan(const ir::Graph& graph, const Options& options);

// The plan with one site more in float, and with it what is no longer between int8.
Plan without_site(const ir::Graph& graph, const Plan& plan, std::size_t site);

// Parameters of a plan of the same graph that leaves more in float: values keep those they have in `plan`.
std::vector<Params> params_for(const Plan& smaller, const Plan& plan, std::span<const Params> params);

// kUnsupported if the graph holds quantised operators, naming one.
Status check_not_quantised(const ir::Graph& graph);

}  // namespace etalon::quantize
