// TensorView: dtype, sizes, strides and a borrowed pointer. Owns nothing and knows nothing of graphs or files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "tensor/dims.h"
#include "tensor/dtype.h"

namespace etalon {

// A dense tensor: its elements fill numel() * size_of(dtype) bytes, dims lying in memory as `order` says.
// Strides are in elements and always follow from sizes and order.
// `capacity_bytes` is what `data` can hold; resize() stays within it. `resizable` is false for tensors whose shape the
// program fixed. Not thread-safe for writing.
class TensorView {
 public:
  TensorView() = default;
  TensorView(DType dtype, const Dims& sizes, void* data) : TensorView(dtype, sizes, contiguous_order(sizes.size()), data) {}
  TensorView(DType dtype, const Dims& sizes, const DimOrder& order, void* data)
      : dtype_(dtype), sizes_(sizes), strides_(strides_of(sizes, order)), order_(order), data_(data) {
    numel_ = etalon::numel(sizes_);
    capacity_bytes_ = nbytes();
  }

  DType dtype() const { return dtype_; }
  const Dims& sizes() const { return sizes_; }
  const Dims& strides() const { return strides_; }
  const DimOrder& order() const { return order_; }
  std::size_t rank() const { return sizes_.size(); }
  std::int64_t size(std::size_t dim) const { return sizes_[dim]; }
  std::int64_t stride(std::size_t dim) const { return strides_[dim]; }
  std::int64_t numel() const { return numel_; }
  std::size_t nbytes() const { return static_cast<std::size_t>(numel_) * size_of(dtype_); }
  bool is_contiguous() const { return is_contiguous_order(order_); }

  void* data() const { return data_; }
  template <class T>
  T* data_as() const {
    return static_cast<T*>(data_);
  }

  // Points the tensor at other memory of `capacity_bytes`.
  void bind(void* data, std::size_t capacity_bytes) {
    data_ = data;
    capacity_bytes_ = capacity_bytes;
  }
  bool resizable() const { return resizable_; }
  void set_resizable(bool resizable) { resizable_ = resizable; }
  std::size_t capacity_bytes() const { return capacity_bytes_; }

  // Gives the tensor other sizes, keeping its dim order (the contiguous one if the rank changes).
  // kInvalidInput if the shape is fixed or the bytes do not fit. Same sizes: no work.
  Status resize(const Dims& sizes);

 private:
  DType dtype_ = DType::kFloat32;
  bool resizable_ = false;
  Dims sizes_;
  Dims strides_;
  DimOrder order_;
  std::int64_t numel_ = 1;
  void* data_ = nullptr;
  std::size_t capacity_bytes_ = 0;
};

}  // namespace etalon
