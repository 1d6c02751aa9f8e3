// Where the operands of elementwise work lie, and how it is walked; for all data types.
#pragma once

#include "backends/native/loop_nest.h"
#include "backends/native/plan_builder.h"

namespace etalon::native {

inline constexpr std::int64_t kElementwiseGrain = 64;  // elements: no two workers write to one cache line

// Calls body(begin, length) with this worker's part of every run of `nest`.
template <class Body>
void for_each_run(const LoopNest& nest, unsigned worker, unsigned workers, Body&& body) {
  const std::int64_t rounds = nest.rounds(1);
  if (rounds < 2 * static_cast<std::int64_t>(workers)) {
    const Range part = share_of(nest.inner_size(), worker, workers, kElementwiseGrain);
    if (part.begin == part.end) return;
    nest.for_each(1, 0, rounds,
                  [&](const LoopNest::Offsets& at) { body(at, part.begin, part.end - part.begin); });
    return;
  }
  const Range part = share_of(rounds, worker, workers);
  nest.for_each(1, part.begin, part.end,
                [&](const LoopNest::Offsets& at) { body(at, 0, nest.inner_size()); });
}

// The innermost dim of the first operand is dense, those of the others are dense or broadcast.
bool runs_are_direct(const LoopNest& nest, std::size_t operands);

// One operand: the output keeps the layout of the input where that is dense.
struct UnaryPlaces {
  Placement in, out;
  LoopNest nest;  // out, in
};
UnaryPlaces place_unary(PlanBuilder& builder, const Node& node);

struct BinaryPlaces {
  Placement a, b, out;
  LoopNest nest;  // out, a, b
};
// The layout of an operand is kept for the output if all of the operands then run directly.
BinaryPlaces place_binary(PlanBuilder& builder, const Node& node);

// Operand `row` is one number per column, used for every row of operand `matrix`, which has no gaps.
bool is_row_against_matrix(const LoopNest& nest, std::size_t matrix, std::size_t row);
// A nest of three operands with the last two exchanged.
LoopNest with_sides_swapped(const LoopNest& nest);

}  // namespace etalon::native
