#include "ops/view_op.h"

namespace etalon::ops {

StridedView without_dim(const StridedView& view, std::size_t dim) {
  StridedView result = view;
  result.sizes.erase(dim);
  result.strides.erase(dim);
  return result;
}

StridedView with_dim(const StridedView& view, std::size_t dim, std::int64_t size, std::int64_t stride) {
  StridedView result = view;
  result.sizes.insert(dim, size);
  result.strides.insert(dim, stride);
  return result;
}

StridedView with_dim_split(const StridedView& view, std::size_t dim, std::int64_t inner) {
  StridedView result = with_dim(view, dim + 1, inner, view.strides[dim]);
  result.sizes[dim] /= inner;
  result.strides[dim] *= inner;
  return result;
}

}  // namespace etalon::ops
