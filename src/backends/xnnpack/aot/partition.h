// Which nodes go to which delegate.
//
// Delegates and what stays outside alternate: a node runs in the earliest delegate that all its inputs allow, so that the
// number of delegates is the length of the longest chain of changes between inside and outside, the least there can be.
// Nodes then move to a later delegate where that carries less across borders. Because delegates are ordered in time, no
// cycle can arise.
#pragma once

#include <vector>

#include "backends/xnnpack/aot/lowering.h"

namespace etalon::xnnpack {

inline constexpr std::int32_t kOutside = -1;

struct Assignment {
  std::vector<std::int32_t> delegate;  // by NodeId; kOutside
  std::vector<std::int32_t> after;     // by NodeId: a node outside runs after this delegate (-1: before the first)
  // By NodeId; nothing for those inside. Weights (quantised.h) are outside with an empty refusal: whoever needs them, inside
  // or outside, has them.
  std::vector<Refused> refusals;
  std::int32_t delegates = 0;
};

// The graph is compact and verified. Nodes with a refusal in `forced` (by NodeId; may be empty) stay outside.
Assignment partition(const ir::Graph& graph, const std::vector<Refused>& forced = {});

// Delegates that there would be if a node could be delegated too.
std::int32_t delegates_with(const ir::Graph& graph, const Assignment& assignment, std::size_t node);

}  // namespace etalon::xnnpack
