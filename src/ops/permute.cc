// Operators that reorder dims: permute, transpose, t.
#include <fmt/core.h>

#include <utility>

#include "ops/infer.h"
#include "ops/view_op.h"

namespace etalon::ops {
namespace {

Result<StridedView> permuted(const Call& call) {
  const StridedView view(call.tensor(0));
  const auto dims = call.ints(1);
  if (dims.size() != view.rank()) {
    return invalid_input(fmt::format("permute of {} dims by a list of {}", view.rank(), dims.size()));
  }
  Dims order;
  std::uint32_t seen = 0;
  for (const std::int64_t item : dims) {
    ETALON_TRY(const std::size_t dim, dim_of(item, view.rank()));
    if ((seen >> dim & 1u) != 0) return invalid_input(fmt::format("dim {} appears twice", dim));
    seen |= 1u << dim;
    order.push_back(static_cast<std::int64_t>(dim));
  }
  return view.permuted(order.span());
}

StridedView swapped(StridedView view, std::size_t a, std::size_t b) {
  std::swap(view.sizes[a], view.sizes[b]);
  std::swap(view.strides[a], view.strides[b]);
  return view;
}

Result<StridedView> transposed(const Call& call) {
  const StridedView view(call.tensor(0));
  ETALON_TRY(const std::size_t a, dim_of(call.integer(1), view.rank()));
  ETALON_TRY(const std::size_t b, dim_of(call.integer(2), view.rank()));
  return view.rank() == 0 ? view : swapped(view, a, b);
}

Result<StridedView> transposed_matrix(const Call& call) {
  const StridedView view(call.tensor(0));
  if (view.rank() > 2) return invalid_input(fmt::format("t wants a tensor of at most 2 dims, found {}", to_string(view.sizes)));
  return view.rank() < 2 ? view : swapped(view, 0, 1);
}

constexpr OpDef kRows[] = {
    {.schema = "aten::permute_copy(Tensor self, int[] dims) -> Tensor",
     .out_name = "aten::permute_copy.out",
     .infer = infer_view<permuted>,
     .kernel = copy_view<permuted>,
     .aliases = "aten::permute"},
    {.schema = "aten::transpose_copy.int(Tensor self, int dim0, int dim1) -> Tensor",
     .out_name = "aten::transpose_copy.int_out",
     .infer = infer_view<transposed>,
     .kernel = copy_view<transposed>,
     .aliases = "aten::transpose.int aten::swapaxes aten::swapdims"},
    {.schema = "aten::t_copy(Tensor self) -> Tensor",
     .out_name = "aten::t_copy.out",
     .infer = infer_view<transposed_matrix>,
     .kernel = copy_view<transposed_matrix>,
     .aliases = "aten::t"},
};

}  // namespace

extern constinit const OpFamily kPermuteOps{kRows};

}  // namespace etalon::ops
