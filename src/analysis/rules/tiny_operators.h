// Operators so small that dispatch dominates them; two rules ask, so that only one of them speaks.
#pragma once

#include <optional>

#include "analysis/rules/row_groups.h"

namespace etalon::analysis {

struct TinyOperators {
  RowGroup rows;
  double dispatch_ms = 0;  // of these operators
  double share = 0;        // of the run, with dispatch
};

// Nothing where they are few or take little.
std::optional<TinyOperators> tiny_operators(const Profile& profile);

}  // namespace etalon::analysis
