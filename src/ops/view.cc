// Operators that keep all elements in row-major order and only change the sizes: view, squeeze, unsqueeze.
#include <fmt/core.h>

#include "base/checked.h"
#include "ops/infer.h"
#include "ops/op.h"
#include "ops/row_major.h"

namespace etalon::ops {
namespace {

Status copy_all(const Call& call) {
  copy_row_major(StridedView(call.tensor(0)), StridedView(call.out()));
  return {};
}

// Replaces the one -1 in `sizes` by what makes the number of elements `count`.
Result<Dims> sizes_of_view(const Dims& from, std::span<const std::int64_t> sizes) {
  if (sizes.size() > kMaxRank) return invalid_input(fmt::format("view to {} dims, the limit is {}", sizes.size(), kMaxRank));
  Dims wanted(sizes);
  std::int64_t known = 1;
  std::size_t free = sizes.size();
  for (std::size_t d = 0; d < sizes.size(); ++d) {
    if (sizes[d] == -1 && free == sizes.size()) {
      free = d;
      wanted[d] = 1;
      continue;
    }
    const auto product = checked_mul(known, sizes[d]);
    if (sizes[d] < 0 || !product) return invalid_input(fmt::format("cannot view {} as {}", to_string(from), to_string(Dims(sizes))));
    known = *product;
  }
  const std::int64_t count = numel(from);
  if (free < sizes.size() && known > 0) wanted[free] = count / known;
  if ((free < sizes.size() && known == 0) || numel(wanted) != count) {
    return invalid_input(fmt::format("cannot view {} as {}", to_string(from), to_string(Dims(sizes))));
  }
  return wanted;
}

Status infer_view_copy(const Call& call, OutShapes& outs) {
  ETALON_TRY(const Dims sizes, sizes_of_view(call.tensor(0).sizes(), call.ints(1)));
  return outs.set(0, call.tensor(0).dtype(), sizes);
}

// The sizes without the dims that are one and in `mask`.
Dims squeezed(const Dims& sizes, std::uint32_t mask) {
  Dims left;
  for (std::size_t d = 0; d < sizes.size(); ++d) {
    if (sizes[d] != 1 || (mask >> d & 1u) == 0) left.push_back(sizes[d]);
  }
  return left;
}

Status infer_squeeze(const Call& call, OutShapes& outs) {
  return outs.set(0, call.tensor(0).dtype(), squeezed(call.tensor(0).sizes(), ~0u));
}

Status infer_squeeze_dim(const Call& call, OutShapes& outs) {
  ETALON_TRY(const std::size_t dim, dim_of(call.integer(1), call.tensor(0).rank()));
  return outs.set(0, call.tensor(0).dtype(), squeezed(call.tensor(0).sizes(), 1u << dim));
}

Status infer_squeeze_dims(const Call& call, OutShapes& outs) {
  std::uint32_t mask = 0;
  for (const std::int64_t item : call.ints(1)) {
    ETALON_TRY(const std::size_t dim, dim_of(item, call.tensor(0).rank()));
    if ((mask >> dim & 1u) != 0) return invalid_input(fmt::format("dim {} appears twice", dim));
    mask |= 1u << dim;
  }
  return outs.set(0, call.tensor(0).dtype(), squeezed(call.tensor(0).sizes(), mask));
}

Status infer_unsqueeze(const Call& call, OutShapes& outs) {
  const std::size_t rank = call.tensor(0).rank();
  ETALON_TRY(const std::size_t dim, dim_of(call.integer(1), rank + 1));
  if (rank == kMaxRank) return invalid_input(fmt::format("unsqueeze of a tensor of rank {}, which is the limit", rank));
  Dims sizes = call.tensor(0).sizes();
  sizes.insert(dim, 1);
  return outs.set(0, call.tensor(0).dtype(), sizes);
}

constexpr OpDef kRows[] = {
    {.schema = "aten::view_copy(Tensor self, SymInt[] size) -> Tensor",
     .out_name = "aten::view_copy.out",
     .infer = infer_view_copy,
     .kernel = copy_all,
     .traits = kSameElements,
     .aliases = "aten::view aten::_unsafe_view aten::reshape"},
    {.schema = "aten::squeeze_copy(Tensor self) -> Tensor",
     .out_name = "aten::squeeze_copy.out",
     .infer = infer_squeeze,
     .kernel = copy_all,
     .traits = kSameElements,
     .aliases = "aten::squeeze"},
    {.schema = "aten::squeeze_copy.dim(Tensor self, int dim) -> Tensor",
     .out_name = "aten::squeeze_copy.dim_out",
     .infer = infer_squeeze_dim,
     .kernel = copy_all,
     .traits = kSameElements,
     .aliases = "aten::squeeze.dim"},
    {.schema = "aten::squeeze_copy.dims(Tensor self, int[] dim) -> Tensor",
     .out_name = "aten::squeeze_copy.dims_out",
     .infer = infer_squeeze_dims,
     .kernel = copy_all,
     .traits = kSameElements,
     .aliases = "aten::squeeze.dims"},
    {.schema = "aten::unsqueeze_copy(Tensor self, int dim) -> Tensor",
     .out_name = "aten::unsqueeze_copy.out",
     .infer = infer_unsqueeze,
     .kernel = copy_all,
     .traits = kSameElements,
     .aliases = "aten::unsqueeze"},
};

}  // namespace

extern constinit const OpFamily kViewOps{kRows};

}  // namespace etalon::ops
