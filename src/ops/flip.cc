// Operators that move elements along dims of the same size: flip, roll.
#include <fmt/core.h>

#include <cstring>

#include "ops/infer.h"
#include "ops/row_major.h"
#include "ops/view_op.h"

namespace etalon::ops {
namespace {

Result<StridedView> flipped(const Call& call) {
  StridedView view(call.tensor(0));
  std::uint32_t seen = 0;
  for (const std::int64_t item : call.ints(1)) {
    ETALON_TRY(const std::size_t dim, dim_of(item, view.rank()));
    if ((seen >> dim & 1u) != 0) return invalid_input(fmt::format("dim {} appears twice", dim));
    seen |= 1u << dim;
    if (view.rank() == 0 || view.sizes[dim] < 2) continue;
    view.data = view.at((view.sizes[dim] - 1) * view.strides[dim]);
    view.strides[dim] = -view.strides[dim];
  }
  return view;
}

std::int64_t modulo(std::int64_t value, std::int64_t size) { return (value % size + size) % size; }

Status infer_roll(const Call& call, OutShapes& outs) {
  const auto shifts = call.ints(1);
  const auto dims = call.ints(2);
  const bool flat = dims.empty() && shifts.size() == 1;
  if (!flat && (shifts.empty() || shifts.size() != dims.size())) {
    return invalid_input(fmt::format("roll has {} shifts and {} dims, want as many of each", shifts.size(), dims.size()));
  }
  for (const std::int64_t dim : dims) {
    if (call.tensor(0).rank() == 0) return invalid_input("roll along a dim of a tensor without dims");
    ETALON_CHECKED(dim_of(dim, call.tensor(0).rank()));
  }
  return outs.set(0, call.tensor(0).dtype(), call.tensor(0).sizes());
}

// The tensor as one long row: element i goes to i + shift.
void roll_flat(const StridedView& src, const StridedView& dst, std::int64_t shift) {
  const std::int64_t count = src.numel();
  const std::size_t size = size_of(src.dtype);
  if (is_row_major(src) && is_row_major(dst)) {
    std::memcpy(dst.at(shift), src.data, static_cast<std::size_t>(count - shift) * size);
    std::memcpy(dst.data, src.at(count - shift), static_cast<std::size_t>(shift) * size);
    return;
  }
  RowMajorCursor from(src.sizes, src.strides);
  RowMajorCursor to(dst.sizes, dst.strides);
  for (std::int64_t i = 0; i < count; ++i) {
    if (i == count - shift) to.seek(0);
    else if (i == 0) to.seek(shift);
    std::memcpy(dst.at(to.offset()), src.at(from.offset()), size);
    from.next();
    to.next();
  }
}

// Along each dim the source falls into two parts that change places; all combinations are copied as blocks.
void roll_dims(const StridedView& src, const StridedView& dst, const Dims& shifts, std::size_t dim) {
  while (dim < shifts.size() && shifts[dim] == 0) ++dim;
  if (dim == shifts.size()) return copy_cast(src, dst);
  const std::int64_t shift = shifts[dim];
  const std::int64_t kept = src.sizes[dim] - shift;
  roll_dims(src.narrowed(dim, 0, kept), dst.narrowed(dim, shift, kept), shifts, dim + 1);
  roll_dims(src.narrowed(dim, kept, shift), dst.narrowed(dim, 0, shift), shifts, dim + 1);
}

Status roll_kernel(const Call& call) {
  const StridedView src(call.tensor(0));
  const StridedView dst(call.out());
  if (src.numel() == 0) return {};
  const auto shifts = call.ints(1);
  const auto dims = call.ints(2);
  if (dims.empty()) {
    roll_flat(src, dst, modulo(shifts[0], src.numel()));
    return {};
  }
  Dims total(src.rank(), 0);
  for (std::size_t i = 0; i < dims.size(); ++i) {
    ETALON_TRY(const std::size_t dim, dim_of(dims[i], src.rank()));
    total[dim] = modulo(total[dim] + modulo(shifts[i], src.sizes[dim]), src.sizes[dim]);
  }
  roll_dims(src, dst, total, 0);
  return {};
}

constexpr OpDef kRows[] = {
    {.schema = "aten::flip(Tensor self, int[] dims) -> Tensor",
     .out_name = "aten::flip.out",
     .infer = infer_view<flipped>,
     .kernel = copy_view<flipped>},
    {.schema = "aten::roll(Tensor self, SymInt[1] shifts, int[1] dims=[]) -> Tensor",
     .out_name = "aten::roll.out",
     .infer = infer_roll,
     .kernel = roll_kernel},
};

}  // namespace

extern constinit const OpFamily kFlipOps{kRows};

}  // namespace etalon::ops
