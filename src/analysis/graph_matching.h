// Which operators of two profiles do the same work, when the graphs need not be the same.
//
// In this order, the surest first: nodes of one program; the line and module of the model; debug handles that
// both delegates carry over from one export; the place in the data flow (neighbours that are matched, kind of
// work, shape); at last the order of execution, aligned as two texts are. What only one graph has and what
// kernels fuse (clamps, batch norms, conversions) then joins the group of its neighbour. Pure functions,
// thread-safe; time and memory are bounded for any input.
#pragma once

#include <cstddef>
#include <vector>

#include "analysis/comparison.h"
#include "analysis/model_facts.h"
#include "analysis/profile.h"

namespace etalon::analysis {

struct MatchSide {
  const Profile& profile;
  const ModelFacts* facts =
      nullptr;  // of the profile's program, whose nodes OperatorRow::nodes counts; may be null
};

struct OperatorGroup {
  MatchKind kind = MatchKind::kName;
  std::vector<std::size_t> baseline;  // indices into Profile::operators, in the order of execution
  std::vector<std::size_t> candidate;
};

// Every operator of both is in exactly one group. In the order of execution of the baseline, then of the
// candidate.
std::vector<OperatorGroup> match_operators(const MatchSide& baseline, const MatchSide& candidate);

}  // namespace etalon::analysis
