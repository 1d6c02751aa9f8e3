// The events of one delegate call held against the operators that its runtime is expected to run.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/model_facts.h"

namespace etalon::analysis {

struct AlignedEvent {
  std::vector<std::size_t> nodes;  // into ModelFacts::nodes
  std::string unmapped;            // why there are none
};

// One result per label, which stand in the order of execution, as do the operators. When the two orders agree all
// through, everything is mapped; else those kinds of operators of which there are as many as expected.
std::vector<AlignedEvent> align_events(const std::vector<std::string_view>& labels,
                                       const std::vector<const RuntimeOperator*>& operators, const ModelFacts& facts);

}  // namespace etalon::analysis
