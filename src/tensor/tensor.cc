#include "tensor/tensor.h"

#include "base/checked.h"

namespace etalon {

Status TensorView::resize(const Dims& sizes) {
  if (sizes == sizes_) return {};
  if (!resizable_) {
    return invalid_input("tensor has the fixed shape " + to_string(sizes_) + ", the operator gives " + to_string(sizes));
  }
  ETALON_TRY(const Dims valid, make_dims(sizes.span()));
  const auto bytes = checked_mul(static_cast<std::size_t>(etalon::numel(valid)), size_of(dtype_));
  if (!bytes || *bytes > capacity_bytes_) {
    return invalid_input("shape " + to_string(sizes) + " of " + std::string(name_of(dtype_)) + " does not fit the " +
                         std::to_string(capacity_bytes_) + " bytes planned for it");
  }
  if (sizes.size() != sizes_.size()) order_ = contiguous_order(sizes.size());
  sizes_ = sizes;
  strides_ = strides_of(sizes_, order_);
  numel_ = etalon::numel(sizes_);
  return {};
}

}  // namespace etalon
