// The last resort of matching: two orders of execution aligned as two texts are, by dynamic programming.
#pragma once

#include <cstddef>
#include <vector>

#include "analysis/operator_order.h"

namespace etalon::analysis {

struct AlignedPair {
  std::size_t before = 0;  // places in the two orders
  std::size_t after = 0;
};

// Pairs of operators without a group (groups are numbers, size_t(-1) is none) that do the same kind of work,
// in the order of both, such that shapes, names and neighbouring groups agree most. Groups are the same on
// both sides. Two graphs of thousands of such operators are paired by name instead.
std::vector<AlignedPair> align_orders(const OperatorOrder& before,
                                      const std::vector<std::size_t>& group_before,
                                      const OperatorOrder& after,
                                      const std::vector<std::size_t>& group_after);

}  // namespace etalon::analysis
