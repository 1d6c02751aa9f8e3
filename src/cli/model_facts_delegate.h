// Facts of the nodes of an XNNGraph payload. Private to cli/model_facts.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include "analysis/model_facts.h"
#include "cli/model_facts_values.h"
#include "formats/xnn/xnn.h"

namespace etalon::cli {

// The call that a payload is seen through.
struct DelegateUse {
  std::int64_t instruction = 0;
  std::string backend;
  std::span<const std::int32_t> args;  // plan values
  std::int64_t first_value = 0;        // the payload's inner values are numbered from here
};

// One entry per node, in the payload's order. Shapes follow from the arguments; where that fails, they are what the
// payload claims.
std::vector<analysis::NodeFacts> delegate_facts(const formats::xnn::Graph& graph, const DelegateUse& use,
                                                const ModelValues& values);

// Elements of the payload's weights; `seen` holds the keys of those counted already.
double parameters_of(const formats::xnn::Graph& graph, std::unordered_set<std::string>& seen);

}  // namespace etalon::cli
