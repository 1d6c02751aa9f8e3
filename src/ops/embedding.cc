// Rows picked by a list of indices: index_select along any dim, embedding along dim 0 of a matrix.
#include <fmt/core.h>

#include <cstring>

#include "ops/index_value.h"
#include "ops/infer.h"
#include "ops/row_major.h"

namespace etalon::ops {
namespace {

Status infer_index_select(const Call& call, OutShapes& outs) {
  const TensorView& self = call.tensor(0);
  const TensorView& index = call.tensor(2);
  ETALON_TRY(const std::size_t dim, dim_of(call.integer(1), self.rank()));
  ETALON_CHECKED(check_index_dtype("index_select", index));
  if (index.rank() > 1) return invalid_input(fmt::format("index_select by an index of sizes {}, want one dim", to_string(index.sizes())));
  Dims sizes = self.sizes();
  if (self.rank() > 0) {
    sizes[dim] = index.numel();
  } else if (index.numel() != 1) {
    return invalid_input(fmt::format("index_select of {} elements from a tensor without dims", index.numel()));
  }
  ETALON_TRY(const Dims valid, make_dims(sizes.span()));
  return outs.set(0, self.dtype(), valid);
}

// All indices are checked before anything is copied, so that the copies below need no checks.
Status check_indices(std::string_view op, const TensorView& index, std::size_t dim, std::int64_t size) {
  const IndexReader indices(index);
  for (std::int64_t i = 0; i < index.numel(); ++i) {
    if (!in_range(indices[i], size)) return index_out_of_range(op, indices[i], dim, size);
  }
  return {};
}

// A part of the picked tensor that is dense in both tensors is copied as a block for each index: the dims inside
// `dim` in memory order. When both are contiguous that is everything to the right of `dim`.
Status select_blocks(const StridedView& src, const StridedView& dst, const TensorView& index, std::size_t dim) {
  const IndexReader indices(index);
  std::int64_t outer = 1;
  std::int64_t inner = 1;
  for (std::size_t d = 0; d < dim; ++d) outer *= src.sizes[d];
  for (std::size_t d = dim + 1; d < src.rank(); ++d) inner *= src.sizes[d];
  const std::size_t bytes = static_cast<std::size_t>(inner) * size_of(src.dtype);
  std::byte* to = dst.data;
  for (std::int64_t o = 0; o < outer; ++o) {
    const std::byte* from = src.at(o * src.sizes[dim] * inner);
    for (std::int64_t i = 0; i < index.numel(); ++i, to += bytes) {
      std::memcpy(to, from + static_cast<std::size_t>(indices[i]) * bytes, bytes);
    }
  }
  return {};
}

Status index_select_kernel(const Call& call) {
  const StridedView src(call.tensor(0));
  const StridedView dst(call.out());
  const TensorView& index = call.tensor(2);
  ETALON_TRY(const std::size_t dim, dim_of(call.integer(1), src.rank()));
  ETALON_CHECKED(check_indices("index_select", index, dim, src.rank() == 0 ? 1 : src.sizes[dim]));
  if (dst.numel() == 0) return {};
  if (src.rank() == 0) {
    copy_cast(src, dst);
    return {};
  }
  if (is_row_major(src) && is_row_major(dst)) return select_blocks(src, dst, index, dim);
  const IndexReader indices(index);
  for (std::int64_t i = 0; i < index.numel(); ++i) copy_cast(src.selected(dim, indices[i]), dst.selected(dim, i));
  return {};
}

Status infer_embedding(const Call& call, OutShapes& outs) {
  const TensorView& weight = call.tensor(0);
  const TensorView& index = call.tensor(1);
  if (weight.rank() != 2) return invalid_input(fmt::format("embedding: weight has sizes {}, want 2 dims", to_string(weight.sizes())));
  ETALON_CHECKED(check_index_dtype("embedding", index));
  if (index.rank() == kMaxRank) return invalid_input(fmt::format("embedding by an index of rank {}, which is the limit", kMaxRank));
  Dims sizes = index.sizes();
  sizes.push_back(weight.size(1));
  ETALON_TRY(const Dims valid, make_dims(sizes.span()));
  return outs.set(0, weight.dtype(), valid);
}

Status embedding_kernel(const Call& call) {
  const StridedView weight(call.tensor(0));
  const StridedView dst(call.out());
  const TensorView& index = call.tensor(1);
  ETALON_CHECKED(check_indices("embedding", index, 0, weight.sizes[0]));
  if (dst.numel() == 0) return {};
  if (is_row_major(weight) && is_row_major(dst) && is_row_major(StridedView(index))) return select_blocks(weight, dst, index, 0);
  const IndexReader indices(index);
  Dims row_strides = dst.strides;
  row_strides.resize(index.rank());
  RowMajorCursor from(index.sizes(), index.strides());
  RowMajorCursor to(index.sizes(), row_strides);
  for (std::int64_t i = 0; i < index.numel(); ++i) {
    copy_cast(weight.selected(0, indices[from.offset()]),
              StridedView(dst.dtype, Dims{weight.sizes[1]}, Dims{dst.strides.back()}, dst.at(to.offset())));
    from.next();
    to.next();
  }
  return {};
}

constexpr OpDef kRows[] = {
    {.schema = "aten::index_select(Tensor self, int dim, Tensor index) -> Tensor",
     .out_name = "aten::index_select.out",
     .infer = infer_index_select,
     .kernel = index_select_kernel},
    {.schema = "aten::embedding(Tensor weight, Tensor indices, SymInt padding_idx=-1, bool scale_grad_by_freq=False, "
               "bool sparse=False) -> Tensor",
     .out_name = "aten::embedding.out",
     .infer = infer_embedding,
     .kernel = embedding_kernel},
};

}  // namespace

extern constinit const OpFamily kEmbeddingOps{kRows};

}  // namespace etalon::ops
