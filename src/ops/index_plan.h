// Advanced indexing (numpy's rules, as torch applies them): which elements of `self` a list of index tensors names.
//
// Entries of the list belong to the dims of self from left to right. None keeps its dim as a slice; an integer tensor
// indexes one dim; a mask indexes as many dims as it has, as the list of its true places would. Index tensors
// broadcast to one shape. It stands in the result where the indexed dims stood if they are adjacent, else in front:
//   self [2, 3, 4], indices (None, [5], None)  ->  [2, 5, 4]
//   self [2, 3, 4], indices ([5], None, [5])   ->  [5, 3]
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "ops/strided.h"

namespace etalon::ops {

struct IndexPlan {
  struct Item {
    const TensorView* index = nullptr;
    std::size_t dim = 0;         // of self, the first if it is a mask
    std::int64_t count = 0;      // of a mask: true places, or their bound
  };
  std::array<Item, kMaxRank> items{};
  std::size_t item_count = 0;
  Dims index_sizes;              // what the index tensors broadcast to
  std::size_t place = 0;         // the first dim of index_sizes in the result
  Dims slices;                   // the dims of self that are not indexed
  std::size_t slices_before = 0; // how many of them stand before `place`
  Dims sizes;                    // of the result
  bool is_bound = false;         // contents of a mask were unknown: sizes are the largest possible

  std::span<const Item> used() const { return {items.data(), item_count}; }
};

// Checks dtypes and shapes, not the values of indices. With `known_contents` masks are counted, if they have memory.
Result<IndexPlan> plan_index(std::string_view op, const TensorView& self, std::span<TensorView* const> indices,
                             bool known_contents = true);

// Temporary memory for the offsets below: two numbers for each element of index_sizes.
std::size_t index_scratch_bytes(const TensorView& self, std::span<TensorView* const> indices);

// Where each element of index_sizes lies in self and in the other tensor (the result, or the values put).
struct IndexOffsets {
  std::span<std::int64_t> self;
  std::span<std::int64_t> other;
};

// Reads and checks all indices; an index out of range is kInvalidInput. `other` has the sizes of the result.
// The spans lie in `scratch`.
Result<IndexOffsets> compute_offsets(std::string_view op, const IndexPlan& plan, const StridedView& self,
                                     const StridedView& other, std::span<std::byte> scratch);

// The loops over the slices before and after the indexed dims. Operand 0 is the tensor that is written.
struct SliceLoops {
  LoopNest<2> before;
  LoopNest<2> after;
};
SliceLoops slice_loops(const IndexPlan& plan, const Dims& self_strides, const Dims& other_strides, bool writes_self);

}  // namespace etalon::ops
