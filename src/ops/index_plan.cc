#include "ops/index_plan.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>

#include "ops/index_value.h"
#include "ops/mask.h"
#include "ops/row_major.h"

namespace etalon::ops {
namespace {

Status check_mask(std::string_view op, const TensorView& self, const TensorView& mask, std::size_t dim) {
  for (std::size_t d = 0; d < mask.rank(); ++d) {
    if (dim + d < self.rank() && mask.size(d) == self.size(dim + d)) continue;
    return invalid_input(fmt::format("{}: mask of sizes {} at dim {} does not fit self of sizes {}", op,
                                     to_string(mask.sizes()), dim, to_string(self.sizes())));
  }
  return {};
}

// Gives each entry its dims of self.
Status assign_dims(std::string_view op, const TensorView& self, std::span<TensorView* const> indices, IndexPlan& plan) {
  std::size_t dim = 0;
  std::uint32_t indexed = 0;
  for (const TensorView* index : indices) {
    const bool mask = index != nullptr && is_mask(index->dtype());
    if (mask && index->rank() == 0) continue;  // has no places to list, so torch passes over it
    if (dim >= self.rank()) {
      return invalid_input(fmt::format("{}: too many indices for self of sizes {}", op, to_string(self.sizes())));
    }
    if (index == nullptr) {
      ++dim;
      continue;
    }
    if (mask) {
      ETALON_CHECKED(check_mask(op, self, *index, dim));
    } else {
      ETALON_CHECKED(check_index_dtype(op, *index));
    }
    plan.items[plan.item_count++] = {index, dim, 0};
    for (std::size_t taken = mask ? index->rank() : 1; taken > 0; --taken) indexed |= 1u << dim++;
  }
  for (std::size_t d = 0; d < self.rank(); ++d) {
    if ((indexed >> d & 1u) == 0) plan.slices.push_back(static_cast<std::int64_t>(d));
  }
  // The indexed dims are adjacent if they look like 0..01..10..0.
  const std::size_t first = plan.item_count > 0 ? plan.items[0].dim : 0;
  const std::uint32_t shifted = indexed >> first;
  const bool adjacent = (shifted & (shifted + 1)) == 0;
  plan.place = plan.slices_before = adjacent ? first : 0;
  return {};
}

Error no_broadcast(std::string_view op, const Dims& a, const Dims& b) {
  return invalid_input(fmt::format("{}: index sizes {} and {} do not broadcast", op, to_string(a), to_string(b)));
}

Status broadcast_indices(std::string_view op, bool known_contents, IndexPlan& plan) {
  std::int64_t bound = 0;
  for (IndexPlan::Item& item : std::span(plan.items.data(), plan.item_count)) {
    Dims sizes = item.index->sizes();
    if (is_mask(item.index->dtype())) {
      const bool known = known_contents && item.index->data() != nullptr;
      item.count = known ? count_nonzero(*item.index) : item.index->numel();
      if (!known) {
        plan.is_bound = true;
        bound = std::max(bound, item.count);
        continue;
      }
      sizes = Dims{item.count};
    }
    const auto wider = broadcast(plan.index_sizes, sizes);
    if (!wider) return no_broadcast(op, plan.index_sizes, sizes);
    plan.index_sizes = *wider;
  }
  // A mask whose count is unknown must in the end agree with the others.
  if (plan.is_bound && plan.index_sizes.empty()) plan.index_sizes.push_back(1);
  if (plan.is_bound && plan.index_sizes.back() == 1) plan.index_sizes[plan.index_sizes.size() - 1] = bound;
  return {};
}

}  // namespace

Result<IndexPlan> plan_index(std::string_view op, const TensorView& self, std::span<TensorView* const> indices,
                             bool known_contents) {
  IndexPlan plan;
  ETALON_CHECKED(assign_dims(op, self, indices, plan));
  ETALON_CHECKED(broadcast_indices(op, known_contents, plan));
  if (plan.slices.size() + plan.index_sizes.size() > kMaxRank) {
    return invalid_input(fmt::format("{}: the result has more than {} dims", op, kMaxRank));
  }
  for (std::size_t i = 0; i < plan.slices_before; ++i) plan.sizes.push_back(self.size(i));
  for (const std::int64_t size : plan.index_sizes) plan.sizes.push_back(size);
  for (std::size_t i = plan.slices_before; i < plan.slices.size(); ++i) {
    plan.sizes.push_back(self.size(static_cast<std::size_t>(plan.slices[i])));
  }
  ETALON_TRY(plan.sizes, make_dims(plan.sizes.span()));
  ETALON_TRY(plan.index_sizes, make_dims(plan.index_sizes.span()));
  return plan;
}

std::size_t index_scratch_bytes(const TensorView& self, std::span<TensorView* const> indices) {
  const auto plan = plan_index("index", self, indices, false);
  if (!plan.ok()) return 0;
  const auto count = static_cast<std::size_t>(numel(plan->index_sizes));
  constexpr std::size_t kEach = 2 * sizeof(std::int64_t);
  return count > std::numeric_limits<std::size_t>::max() / kEach ? 0 : count * kEach;
}

namespace {

Status add_integers(std::string_view op, const IndexPlan::Item& item, const Dims& index_sizes, const StridedView& self,
                    std::span<std::int64_t> offsets) {
  const IndexReader indices(*item.index);
  const StridedView index = StridedView(*item.index).broadcast_to(index_sizes);
  const std::int64_t size = self.sizes[item.dim];
  const std::int64_t stride = self.strides[item.dim];
  RowMajorCursor at(index.sizes, index.strides);
  for (std::int64_t& offset : offsets) {
    const std::int64_t value = indices[at.offset()];
    const std::int64_t wrapped = value < 0 ? value + size : value;
    if (!in_range(wrapped, size)) [[unlikely]] return index_out_of_range(op, value, item.dim, size);
    offset += wrapped * stride;
    at.next();
  }
  return {};
}

// The true places of the mask, as offsets in self, run along the last dim of index_sizes.
void add_places(const IndexPlan::Item& item, std::int64_t last, const StridedView& self, std::span<std::int64_t> offsets) {
  const TensorView& mask = *item.index;
  Dims self_strides;
  for (std::size_t d = 0; d < mask.rank(); ++d) self_strides.push_back(self.strides[item.dim + d]);
  RowMajorCursor at(mask.sizes(), mask.strides());
  RowMajorCursor at_self(mask.sizes(), self_strides);
  const auto* bits = mask.data_as<std::uint8_t>();
  const std::size_t step = item.count == 1 ? 1 : static_cast<std::size_t>(last);
  std::size_t place = 0;
  for (std::int64_t i = 0; i < mask.numel(); ++i, at.next(), at_self.next()) {
    if (bits[at.offset()] == 0) continue;
    for (std::size_t k = place; k < offsets.size(); k += step) offsets[k] += at_self.offset();
    ++place;
  }
}

}  // namespace

Result<IndexOffsets> compute_offsets(std::string_view op, const IndexPlan& plan, const StridedView& self,
                                     const StridedView& other, std::span<std::byte> scratch) {
  const auto count = static_cast<std::size_t>(numel(plan.index_sizes));
  if (scratch.size() / (2 * sizeof(std::int64_t)) < count) {
    return internal_error(fmt::format("{}: scratch of {} bytes for {} indices", op, scratch.size(), count));
  }
  auto* memory = reinterpret_cast<std::int64_t*>(scratch.data());
  const IndexOffsets offsets{{memory, count}, {memory + count, count}};
  std::fill(offsets.self.begin(), offsets.self.end(), 0);
  if (count == 0) return offsets;
  for (const IndexPlan::Item& item : plan.used()) {
    if (is_mask(item.index->dtype())) {
      add_places(item, plan.index_sizes.back(), self, offsets.self);
    } else {
      ETALON_CHECKED(add_integers(op, item, plan.index_sizes, self, offsets.self));
    }
  }
  Dims other_strides;
  for (std::size_t d = 0; d < plan.index_sizes.size(); ++d) other_strides.push_back(other.strides[plan.place + d]);
  RowMajorCursor at(plan.index_sizes, other_strides);
  for (std::int64_t& offset : offsets.other) {
    offset = at.offset();
    at.next();
  }
  return offsets;
}

SliceLoops slice_loops(const IndexPlan& plan, const Dims& self_strides, const Dims& other_strides, bool writes_self) {
  const auto part = [&](std::size_t begin, std::size_t end) {
    Dims sizes;
    Dims of_self;
    Dims of_other;
    for (std::size_t i = begin; i < end; ++i) {
      const std::size_t at = i < plan.slices_before ? i : i + plan.index_sizes.size();
      sizes.push_back(plan.sizes[at]);
      of_self.push_back(self_strides[static_cast<std::size_t>(plan.slices[i])]);
      of_other.push_back(other_strides[at]);
    }
    return writes_self ? LoopNest<2>(sizes, {of_self, of_other}) : LoopNest<2>(sizes, {of_other, of_self});
  };
  return {part(0, plan.slices_before), part(plan.slices_before, plan.slices.size())};
}

}  // namespace etalon::ops
