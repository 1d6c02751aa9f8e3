// Operators whose result is argument 0 seen through other sizes and strides, then copied out.
// Each is one function from a call to a strided view; `infer` and `kernel` follow from it.
#pragma once

#include "ops/op.h"
#include "ops/strided.h"

namespace etalon::ops {

// Validates the arguments and returns the view. Its data is null when argument 0 has none.
using ViewFn = Result<StridedView> (*)(const Call&);

template <ViewFn kView>
Status infer_view(const Call& call, OutShapes& outs) {
  ETALON_TRY(const StridedView view, kView(call));
  ETALON_TRY(const Dims sizes, make_dims(view.sizes.span()));
  return outs.set(0, view.dtype, sizes);
}

template <ViewFn kView>
Status copy_view(const Call& call) {
  ETALON_TRY(const StridedView view, kView(call));
  copy_cast(view, StridedView(call.out()));
  return {};
}

// A copy of `view` without dim `dim` of size one, and the reverse.
StridedView without_dim(const StridedView& view, std::size_t dim);
StridedView with_dim(const StridedView& view, std::size_t dim, std::int64_t size, std::int64_t stride);

// Dim `dim` cut into two: [size / inner, inner].
StridedView with_dim_split(const StridedView& view, std::size_t dim, std::int64_t inner);

}  // namespace etalon::ops
