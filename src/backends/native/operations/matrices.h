// Where the operands of products of two computed tensors lie; for all data types.
#pragma once

#include "backends/native/loop_nest.h"
#include "backends/native/plan_builder.h"
#include "kernels/attention/attention.h"

namespace etalon::native {

// A matrix per round of the outer dims; `rows` and `columns` are strides of the last two dims.
struct Matrices {
  Placement at;
  Dims outer;  // strides, broadcast to the outer dims of the result
  std::int64_t rows = 0, columns = 0;
};

Matrices matrices_of(const Placement& placement, const Dims& dims, const Dims& out_dims);
// Rows of a matrix are usable as they are if their elements are adjacent; a single column is as good.
bool has_dense_rows(const Placement& placement, const Dims& dims);
bool has_dense_columns(const Placement& placement, const Dims& dims);
// An input whose rows are dense, copied if need be.
Matrices rows_of(PlanBuilder& builder, ValueId id, const Dims& out_dims);
Dims outer_of(const Dims& dims);

// Rounds of the outer dims times rows of each product, shared so that a worker keeps to few products.
template <class Body>
void for_each_part(const LoopNest& nest, std::int64_t rows, unsigned worker, unsigned workers, Body&& body) {
  const std::int64_t rounds = nest.rounds(0);
  if (rounds >= 2 * static_cast<std::int64_t>(workers) || workers == 1) {
    const Range part = share_of(rounds, worker, workers);
    nest.for_each(0, part.begin, part.end, [&](const LoopNest::Offsets& at) { body(at, 0, rows); });
    return;
  }
  const Range part = share_of(rows, worker, workers);
  if (part.begin == part.end) return;
  nest.for_each(0, 0, rounds, [&](const LoopNest::Offsets& at) { body(at, part.begin, part.end); });
}

// Of an attention node: inputs q, k, v and perhaps a mask.
struct AttentionPlaces {
  kernels::AttentionShape shape;
  Operand q, k, v, out, mask;
  bool has_mask = false;
  LoopNest nest;  // over heads: out, q, k, v, mask
  std::int64_t multiply_adds = 0;
  std::int64_t elements = 0;  // of q, k, v and the output
};
AttentionPlaces place_attention(PlanBuilder& builder, const Node& node, float scale);

}  // namespace etalon::native
