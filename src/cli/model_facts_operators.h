// Facts of one operator call. Private to cli/model_facts.
#pragma once

#include "analysis/model_facts.h"
#include "cli/model_facts_values.h"

namespace etalon::cli {

// A call's values by role: what it reads and what it writes, lists opened. Of an operator that we do not know, what
// the format says of every operator: the last argument is the result, and nothing more.
struct CallValues {
  std::vector<std::int32_t> reads;   // tensors, with constants
  std::vector<std::int32_t> writes;  // tensors
  std::vector<std::int32_t> numbers_read, numbers_written;
};

// `values` learns the numbers that the call computes from shapes.
analysis::NodeFacts operator_facts(const formats::pte::KernelCall& call, ModelValues& values, CallValues& roles);

// Reads and writes that a node's facts list: shapes, bytes, data flow (numbers only where `computed` says so).
void add_tensors(const ModelValues& values, const CallValues& roles, analysis::NodeFacts& node);

}  // namespace etalon::cli
