// Views with strides of their own: as_strided, diagonal, unfold.
#include <fmt/core.h>

#include "base/checked.h"
#include "ops/infer.h"
#include "ops/view_op.h"

namespace etalon::ops {
namespace {

// Every element that the sizes and strides reach must lie inside the tensor's memory.
Status check_inside(const Dims& sizes, std::span<const std::int64_t> strides, std::int64_t offset, std::int64_t count) {
  std::optional<std::int64_t> last = offset;
  bool empty = false;
  for (std::size_t d = 0; d < sizes.size(); ++d) {
    if (strides[d] < 0) return invalid_input(fmt::format("as_strided with stride {}, want at least 0", strides[d]));
    empty = empty || sizes[d] == 0;
    const auto reach = checked_mul(strides[d], std::max<std::int64_t>(sizes[d] - 1, 0));
    last = last && reach ? checked_add(*last, *reach) : std::nullopt;
  }
  if (empty || (last && *last < count)) return {};
  return invalid_input(fmt::format("as_strided to {} from offset {} reaches outside the {} elements", to_string(sizes), offset, count));
}

Result<StridedView> restrided(const Call& call) {
  const TensorView& self = call.tensor(0);
  const auto strides = call.ints(2);
  ETALON_TRY(const Dims sizes, make_dims(call.ints(1)));
  if (strides.size() != sizes.size()) {
    return invalid_input(fmt::format("as_strided has {} sizes and {} strides", sizes.size(), strides.size()));
  }
  const std::int64_t offset = call.optional_int(3).value_or(0);
  if (offset < 0) return invalid_input(fmt::format("as_strided with storage_offset {}, want at least 0", offset));
  ETALON_CHECKED(check_inside(sizes, strides, offset, self.numel()));
  StridedView view(self.dtype(), sizes, Dims(strides), self.data());
  if (view.numel() > 0) view.data = view.at(offset);
  return view;
}

Result<StridedView> diagonal(const Call& call) {
  StridedView view(call.tensor(0));
  ETALON_TRY(const std::size_t rows, dim_of(call.integer(2), view.rank()));
  ETALON_TRY(const std::size_t columns, dim_of(call.integer(3), view.rank()));
  if (view.rank() < 2 || rows == columns) {
    return invalid_input(fmt::format("diagonal of {} along dims {} and {}, want two different ones", to_string(view.sizes), rows, columns));
  }
  const std::int64_t offset = call.integer(1);
  const bool above = offset >= 0;
  // Clamped, so that an offset far outside gives an empty diagonal without overflow.
  const std::int64_t skipped = above ? std::min(offset, view.sizes[columns])
                                     : -std::max(offset, -view.sizes[rows]);
  const std::int64_t length = above ? std::min(view.sizes[rows], view.sizes[columns] - skipped)
                                    : std::min(view.sizes[rows] - skipped, view.sizes[columns]);
  const std::int64_t stride = view.strides[rows] + view.strides[columns];
  if (length > 0) view.data = view.at(skipped * view.strides[above ? columns : rows]);
  view = without_dim(view, std::max(rows, columns));
  view = without_dim(view, std::min(rows, columns));
  return with_dim(view, view.rank(), length, stride);
}

Result<StridedView> unfolded(const Call& call) {
  StridedView view(call.tensor(0));
  ETALON_TRY(const std::size_t dim, dim_of(call.integer(1), view.rank()));
  const std::int64_t whole = view.rank() == 0 ? 1 : view.sizes[dim];
  const std::int64_t length = call.integer(2);
  const std::int64_t step = call.integer(3);
  if (length < 0 || length > whole || step <= 0) {
    return invalid_input(fmt::format("unfold of dim {} of size {} by size {} and step {}", dim, whole, length, step));
  }
  if (view.rank() == 0) return with_dim(view, 0, length, 1);
  if (view.rank() == kMaxRank) return invalid_input(fmt::format("unfold of a tensor of rank {}, which is the limit", kMaxRank));
  const std::int64_t stride = view.strides[dim];
  view.sizes[dim] = (whole - length) / step + 1;
  view.strides[dim] = view.sizes[dim] > 1 ? stride * step : stride;
  return with_dim(view, view.rank(), length, stride);
}

constexpr OpDef kRows[] = {
    {.schema = "aten::as_strided_copy(Tensor self, SymInt[] size, SymInt[] stride, SymInt? storage_offset=None) -> Tensor",
     .out_name = "aten::as_strided_copy.out",
     .infer = infer_view<restrided>,
     .kernel = copy_view<restrided>,
     .aliases = "aten::as_strided"},
    {.schema = "aten::diagonal_copy(Tensor self, int offset=0, int dim1=0, int dim2=1) -> Tensor",
     .out_name = "aten::diagonal_copy.out",
     .infer = infer_view<diagonal>,
     .kernel = copy_view<diagonal>,
     .aliases = "aten::diagonal"},
    {.schema = "aten::unfold_copy(Tensor self, int dimension, int size, int step) -> Tensor",
     .out_name = "aten::unfold_copy.out",
     .infer = infer_view<unfolded>,
     .kernel = copy_view<unfolded>,
     .aliases = "aten::unfold"},
};

}  // namespace

extern constinit const OpFamily kDiagonalOps{kRows};

}  // namespace etalon::ops
