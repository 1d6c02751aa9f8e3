// What a program should cost on this machine, before it ever ran: arithmetic, traffic, and the least time by the
// roofline of each operator.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analysis/ceilings.h"
#include "analysis/model_facts.h"
#include "cli/console.h"

namespace etalon::cli {

struct NodeCost {
  const analysis::NodeFacts* node = nullptr;  // of the facts that were given
  double bytes = 0;                    // read, written and weights
  std::optional<analysis::Roof> roof;  // nothing without ceilings, or where neither arithmetic nor traffic is known
};

struct ModelCost {
  std::vector<NodeCost> nodes;
  double flops = 0, bytes = 0;
  // Sums of the nodes' least times: of products alone (convolutions and matrix products, which no engine can leave
  // out), and of all nodes, each with its own traffic. A good engine lies at or above the first; one that fuses nothing
  // and copies every view lies at or above the second. Convolutions count as they are defined; Winograd's way of
  // computing them undercuts that. Absent without ceilings.
  std::optional<double> products_ms, all_ms;
};

// `isa` and `threads` as for roof_of().
ModelCost cost_of(const analysis::ModelFacts& facts, const analysis::Ceilings* ceilings, const std::string& isa,
                  std::uint32_t threads);

struct CostQuestion {
  std::string program;
  std::string isa;  // the highest allowed; empty: all that the machine has
  std::uint32_t threads = 1;
  bool json = false;
};
// Prints a table, or JSON (schema "etalon.cost/1"). Errors: those of the program file.
Result<int> show_cost(const CostQuestion& question, const Console& console);

}  // namespace etalon::cli
