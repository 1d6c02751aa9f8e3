// Reductions: one result per position of the dims that are kept, computed over the dims that are not.
#pragma once

#include <algorithm>
#include <cstdint>

#include "ops/element.h"
#include "ops/op.h"
#include "ops/strided.h"

namespace etalon::ops {

// A set of dims, one bit each.
using DimMask = std::uint32_t;

// The dims that argument `arg` names: a dim, a list of dims, or all of them when it is None or an empty list.
// kInvalidInput for a dim that is out of range or repeated.
Result<DimMask> dims_to_reduce(const Call& call, std::size_t arg, std::size_t rank);

Dims reduced_sizes(const Dims& sizes, DimMask reduced, bool keepdim);

// Refuses a reduction over no elements, where the operator has no neutral element to return.
Status require_elements(const Dims& sizes, DimMask reduced);

// How a reduction walks its input, in the input's memory order.
struct ReducePlan {
  // `output_strides` are those of the output, with or without the reduced dims.
  ReducePlan(const TensorView& input, DimMask reduced, const Dims& output_strides);

  LoopNest<2> kept;     // operands: input, output
  LoopNest<1> reduced;
  std::int64_t count;   // elements per result
};

namespace internal {

inline constexpr std::int64_t kReduceLanes = 8;
inline constexpr std::int64_t kReduceColumns = 64;

// A dense run: independent lanes, so that the additions overlap and vectorise.
template <class T, class Op>
typename Op::Acc fold_dense(const T* from, std::int64_t count, const Op& op) {
  typename Op::Acc lanes[kReduceLanes];
  for (auto& lane : lanes) lane = op.initial();
  std::int64_t i = 0;
  for (; i + kReduceLanes <= count; i += kReduceLanes) {
    for (std::int64_t lane = 0; lane < kReduceLanes; ++lane) lanes[lane] = op.step(lanes[lane], from[i + lane]);
  }
  for (; i < count; ++i) lanes[0] = op.step(lanes[0], from[i]);
  for (std::int64_t lane = 1; lane < kReduceLanes; ++lane) lanes[0] = op.merge(lanes[0], lanes[lane]);
  return lanes[0];
}

template <class T, class Op>
typename Op::Acc fold_result(const LoopNest<1>& nest, const T* from, const Op& op) {
  typename Op::Acc acc = op.initial();
  for_each_run(nest, [&](const auto& offsets) {
    const T* run = from + offsets[0];
    if (nest.step(0) == 1) {
      acc = op.merge(acc, fold_dense(run, nest.run(), op));
    } else {
      for (std::int64_t i = 0; i < nest.run(); ++i) acc = op.step(acc, run[i * nest.step(0)]);
    }
  });
  return acc;
}

// Several neighbouring results at once, for inputs in which they are closer together than what they are made of.
template <class T, class Op>
void fold_columns(const LoopNest<1>& nest, const T* from, std::int64_t step, std::int64_t count, const Op* ops,
                  typename Op::Acc* accs) {
  for_each_run(nest, [&](const auto& offsets) {
    for (std::int64_t i = 0; i < nest.run(); ++i) {
      const T* row = from + offsets[0] + i * nest.step(0);
      if (step == 1) {
        for (std::int64_t j = 0; j < count; ++j) accs[j] = ops[j].step(accs[j], row[j]);
      } else {
        for (std::int64_t j = 0; j < count; ++j) accs[j] = ops[j].step(accs[j], row[j * step]);
      }
    }
  });
}

}  // namespace internal

// For each result: `op_for(output_offset)` gives the operation, `finish(output_offset, acc)` takes what came out.
// An operation is a small default-constructible struct with
//   using Acc; Acc initial() const; Acc step(Acc, T) const; Acc merge(Acc, Acc) const;
template <class T, class OpFor, class Finish>
void reduce(const ReducePlan& plan, const T* input, OpFor op_for, Finish finish) {
  using Operation = decltype(op_for(std::int64_t{0}));
  const bool by_columns =
      !plan.kept.empty && !plan.reduced.empty && plan.kept.run() > 1 && plan.kept.step(0) < plan.reduced.step(0);
  for_each_run(plan.kept, [&](const auto& offsets) {
    const std::int64_t steps[2] = {plan.kept.step(0), plan.kept.step(1)};
    if (!by_columns) {
      for (std::int64_t i = 0; i < plan.kept.run(); ++i) {
        const std::int64_t out = offsets[1] + i * steps[1];
        finish(out, internal::fold_result(plan.reduced, input + offsets[0] + i * steps[0], op_for(out)));
      }
      return;
    }
    for (std::int64_t i = 0; i < plan.kept.run(); i += internal::kReduceColumns) {
      const std::int64_t count = std::min(internal::kReduceColumns, plan.kept.run() - i);
      Operation ops[internal::kReduceColumns];
      typename Operation::Acc accs[internal::kReduceColumns];
      for (std::int64_t j = 0; j < count; ++j) {
        ops[j] = op_for(offsets[1] + (i + j) * steps[1]);
        accs[j] = ops[j].initial();
      }
      internal::fold_columns(plan.reduced, input + offsets[0] + i * steps[0], steps[0], count, ops, accs);
      for (std::int64_t j = 0; j < count; ++j) finish(offsets[1] + (i + j) * steps[1], accs[j]);
    }
  });
}

// One operation per input element.
std::int64_t flops_per_input_element(const Call& call);

// Sums as Total (double, or wrapping 64-bit integers) after converting each element to As.
template <class Total, class As = Total>
struct Sum {
  using Acc = Total;
  Acc initial() const { return Acc{}; }
  template <class T>
  Acc step(Acc acc, T value) const {
    return acc + static_cast<Acc>(convert_element<As>(value));
  }
  Acc merge(Acc a, Acc b) const { return a + b; }
};

// Sum of squared distances from a centre.
struct SquaredDistance {
  using Acc = double;
  double centre = 0.0;
  Acc initial() const { return 0.0; }
  template <class T>
  Acc step(Acc acc, T value) const {
    const double distance = convert_element<double>(value) - centre;
    return acc + distance * distance;
  }
  Acc merge(Acc a, Acc b) const { return a + b; }
};

}  // namespace etalon::ops
