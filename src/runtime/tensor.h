// A tensor that owns its memory: what goes into and comes out of Module.
#pragma once

#include <cstddef>
#include <span>

#include "runtime/aligned_buffer.h"
#include "tensor/tensor.h"

namespace etalon::runtime {

// Move-only; elements start as zeros and lie in row-major order unless another dim order is asked for.
class Tensor {
 public:
  // kInvalidInput for sizes that no tensor can have, kResource when memory is short.
  static Result<Tensor> zeros(DType dtype, const Dims& sizes);
  static Result<Tensor> zeros(DType dtype, const Dims& sizes, const DimOrder& order);
  // `values` has one entry per element, in row-major order.
  static Result<Tensor> from_floats(const Dims& sizes, std::span<const float> values);
  // The same elements in row-major order, whatever the order of `view`.
  static Result<Tensor> copy_of(const TensorView& view);

  const TensorView& view() const { return view_; }
  TensorView& view() { return view_; }
  DType dtype() const { return view_.dtype(); }
  const Dims& sizes() const { return view_.sizes(); }
  // The elements as T, which must have the size of the dtype.
  template <class T>
  std::span<T> elements() {
    ETALON_CHECK(sizeof(T) == size_of(dtype()));
    return {view_.data_as<T>(), static_cast<std::size_t>(view_.numel())};
  }
  template <class T>
  std::span<const T> elements() const {
    ETALON_CHECK(sizeof(T) == size_of(dtype()));
    return {view_.data_as<const T>(), static_cast<std::size_t>(view_.numel())};
  }
  std::span<std::byte> bytes() const { return {view_.data_as<std::byte>(), view_.nbytes()}; }

 private:
  Tensor(TensorView view, AlignedBuffer memory) : view_(view), memory_(std::move(memory)) {}
  TensorView view_;
  AlignedBuffer memory_;
};

}  // namespace etalon::runtime
