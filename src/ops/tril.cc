// Triangles of matrices: elements above (tril) or below (triu) a diagonal become zero.
#include <fmt/core.h>

#include <cstring>

#include "ops/dispatch.h"
#include "ops/row_major.h"
#include "ops/view_op.h"

namespace etalon::ops {
namespace {

Status infer_triangle(const Call& call, OutShapes& outs) {
  const TensorView& self = call.tensor(0);
  if (self.rank() < 2) return invalid_input(fmt::format("a triangle of {}, want at least 2 dims", to_string(self.sizes())));
  return outs.set(0, self.dtype(), self.sizes());
}

// Row `r` keeps the columns [begin, end).
struct Kept {
  std::int64_t begin;
  std::int64_t end;
};

template <class T>
void copy_row(const T* src, std::int64_t src_step, T* dst, std::int64_t dst_step, std::int64_t columns, Kept kept) {
  for (std::int64_t c = 0; c < kept.begin; ++c) dst[c * dst_step] = T{};
  for (std::int64_t c = kept.begin; c < kept.end; ++c) dst[c * dst_step] = src[c * src_step];
  for (std::int64_t c = kept.end; c < columns; ++c) dst[c * dst_step] = T{};
}

template <bool kLower>
Status triangle_kernel(const Call& call) {
  const StridedView src(call.tensor(0));
  const StridedView dst(call.out());
  if (src.numel() == 0) return {};
  const std::size_t row_dim = src.rank() - 2;
  const std::int64_t rows = src.sizes[row_dim];
  const std::int64_t columns = src.sizes[row_dim + 1];
  const std::int64_t diagonal = std::clamp(call.integer(1), -rows, columns);
  // Without the columns, what is left enumerates rows; the row number is the position modulo `rows`.
  RowMajorCursor from(without_dim(src, row_dim + 1).sizes, without_dim(src, row_dim + 1).strides);
  RowMajorCursor to(without_dim(dst, row_dim + 1).sizes, without_dim(dst, row_dim + 1).strides);
  return visit_element_size(src.dtype, [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    for (std::int64_t i = 0; i < src.numel() / columns; ++i) {
      const std::int64_t edge = std::clamp<std::int64_t>(i % rows + diagonal + (kLower ? 1 : 0), 0, columns);
      copy_row(reinterpret_cast<const T*>(src.at(from.offset())), src.strides.back(), reinterpret_cast<T*>(dst.at(to.offset())),
               dst.strides.back(), columns, kLower ? Kept{0, edge} : Kept{edge, columns});
      from.next();
      to.next();
    }
    return {};
  });
}

constexpr OpDef kRows[] = {
    {.schema = "aten::tril(Tensor self, SymInt diagonal=0) -> Tensor",
     .out_name = "aten::tril.out",
     .infer = infer_triangle,
     .kernel = triangle_kernel<true>},
    {.schema = "aten::triu(Tensor self, SymInt diagonal=0) -> Tensor",
     .out_name = "aten::triu.out",
     .infer = infer_triangle,
     .kernel = triangle_kernel<false>},
};

}  // namespace

extern constinit const OpFamily kTrilOps{kRows};

}  // namespace etalon::ops
