// Joining tensors: cat along a dim that they have, stack along a new one.
#include <fmt/core.h>

#include "base/checked.h"
#include "ops/infer.h"
#include "ops/promotion.h"
#include "ops/view_op.h"

namespace etalon::ops {
namespace {

// torch lets cat take tensors of sizes [0] beside those of any other shape, for old programs' sake.
bool is_skipped(const TensorView& item) { return item.rank() == 1 && item.size(0) == 0; }

DType joined_dtype(std::span<TensorView* const> items) {
  ResultType type;
  for (const TensorView* item : items) type.add(*item);
  return type.dtype();
}

const TensorView* first_joined(std::span<TensorView* const> items) {
  for (const TensorView* item : items) {
    if (!is_skipped(*item)) return item;
  }
  return nullptr;
}

// The dim order that all joined tensors share: torch then keeps it.
const DimOrder* shared_order(std::span<TensorView* const> items, const TensorView& first) {
  for (const TensorView* item : items) {
    if (!is_skipped(*item) && !(item->order() == first.order())) return nullptr;
  }
  return &first.order();
}

Status infer_cat(const Call& call, OutShapes& outs) {
  const auto items = call.tensors(0);
  if (items.empty()) return invalid_input("cat of no tensors");
  const TensorView* first = first_joined(items);
  if (first == nullptr) return outs.set(0, joined_dtype(items), Dims{0});
  if (first->rank() == 0) return invalid_input("cat of tensors without dims");
  ETALON_TRY(const std::size_t dim, dim_of(call.integer(1), first->rank()));
  Dims sizes = first->sizes();
  sizes[dim] = 0;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (is_skipped(*items[i])) continue;
    Dims other = items[i]->sizes();
    if (other.size() == sizes.size()) {
      const auto sum = checked_add(sizes[dim], other[dim]);
      if (!sum) return invalid_input("cat gives too many elements");
      sizes[dim] = other[dim] = *sum;
    }
    if (!(other == sizes)) {
      return invalid_input(fmt::format("cat along dim {}: tensor {} has sizes {}, the first has {}", dim, i,
                                       to_string(items[i]->sizes()), to_string(first->sizes())));
    }
  }
  ETALON_TRY(const Dims valid, make_dims(sizes.span()));
  return outs.set(0, joined_dtype(items), valid, shared_order(items, *first));
}

Status cat_kernel(const Call& call) {
  const StridedView whole(call.out());
  const TensorView* first = first_joined(call.tensors(0));
  if (first == nullptr) return {};
  ETALON_TRY(const std::size_t dim, dim_of(call.integer(1), first->rank()));
  std::int64_t start = 0;
  for (const TensorView* item : call.tensors(0)) {
    if (is_skipped(*item)) continue;
    copy_cast(StridedView(*item), whole.narrowed(dim, start, item->size(dim)));
    start += item->size(dim);
  }
  return {};
}

Status infer_stack(const Call& call, OutShapes& outs) {
  const auto items = call.tensors(0);
  if (items.empty()) return invalid_input("stack of no tensors");
  Dims sizes = items[0]->sizes();
  if (sizes.size() == kMaxRank) return invalid_input(fmt::format("stack of tensors of rank {}, which is the limit", kMaxRank));
  ETALON_TRY(const std::size_t dim, dim_of(call.integer(1), sizes.size() + 1));
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (items[i]->sizes() == sizes) continue;
    return invalid_input(fmt::format("stack: tensor {} has sizes {}, the first has {}", i, to_string(items[i]->sizes()), to_string(sizes)));
  }
  sizes.insert(dim, static_cast<std::int64_t>(items.size()));
  ETALON_TRY(const Dims valid, make_dims(sizes.span()));
  return outs.set(0, joined_dtype(items), valid);
}

Status stack_kernel(const Call& call) {
  const StridedView whole(call.out());
  ETALON_TRY(const std::size_t dim, dim_of(call.integer(1), whole.rank()));
  std::int64_t index = 0;
  for (const TensorView* item : call.tensors(0)) copy_cast(StridedView(*item), whole.selected(dim, index++));
  return {};
}

constexpr OpDef kRows[] = {
    {.schema = "aten::cat(Tensor[] tensors, int dim=0) -> Tensor",
     .out_name = "aten::cat.out",
     .infer = infer_cat,
     .kernel = cat_kernel,
     .traits = kCastsOutput,
     .aliases = "aten::concat aten::concatenate"},
    {.schema = "aten::stack(Tensor[] tensors, int dim=0) -> Tensor",
     .out_name = "aten::stack.out",
     .infer = infer_stack,
     .kernel = stack_kernel,
     .traits = kCastsOutput},
};

}  // namespace

extern constinit const OpFamily kCatOps{kRows};

}  // namespace etalon::ops
