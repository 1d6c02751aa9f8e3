// Rows of a tensor as dense arrays of the type one computes in, for operators that work row by row (softmax, norms).
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

#include "ops/element.h"
#include "ops/strided.h"

namespace etalon::ops {

// float for float32 and the halves, double for float64.
template <class Visit>
Status visit_compute_type(DType dtype, Visit&& visit) {
  if (dtype == DType::kFloat64) return visit(TypeTag<double>{});
  if (is_floating(dtype)) return visit(TypeTag<float>{});
  return unsupported("dtype " + std::string(name_of(dtype)) + ", want a floating one");
}

template <class Compute>
inline constexpr DType kComputeDType = std::is_same_v<Compute, double> ? DType::kFloat64 : DType::kFloat32;

// True if the elements of `view` can be used in place as an array of Compute.
template <class Compute>
bool is_dense(const StridedView& view) {
  if (view.dtype != kComputeDType<Compute>) return false;
  std::int64_t step = 1;
  for (std::size_t d = view.rank(); d-- > 0;) {
    if (view.sizes[d] != 1 && view.strides[d] != step) return false;
    step *= view.sizes[d];
  }
  return true;
}

// The elements in row-major order: in place, or converted into `buffer` of view.numel() elements.
template <class Compute>
const Compute* read_row(const StridedView& view, Compute* buffer) {
  if (is_dense<Compute>(view)) return reinterpret_cast<const Compute*>(view.data);
  copy_cast(view, StridedView(kComputeDType<Compute>, view.sizes, contiguous_strides(view.sizes), buffer));
  return buffer;
}

// Where to write a row, and afterwards what brings it to its place.
template <class Compute>
Compute* row_to_write(const StridedView& view, Compute* buffer) {
  return is_dense<Compute>(view) ? reinterpret_cast<Compute*>(view.data) : buffer;
}
template <class Compute>
void write_row(const Compute* row, const StridedView& view) {
  if (reinterpret_cast<const std::byte*>(row) == view.data) return;
  auto* data = const_cast<Compute*>(row);
  copy_cast(StridedView(kComputeDType<Compute>, view.sizes, contiguous_strides(view.sizes), data), view);
}

// Hands out arrays from a call's scratch memory.
class ScratchArrays {
 public:
  explicit ScratchArrays(std::span<std::byte> memory) : memory_(memory) {}
  template <class T>
  T* take(std::int64_t count) {
    const std::size_t bytes = static_cast<std::size_t>(count) * sizeof(T);
    ETALON_CHECK(bytes <= memory_.size());
    T* array = reinterpret_cast<T*>(memory_.data());
    memory_ = memory_.subspan(std::min(memory_.size(), (bytes + 63) / 64 * 64));
    return array;
  }

 private:
  std::span<std::byte> memory_;
};

// Scratch for `arrays` arrays of `count` elements each, of any type up to 8 bytes.
inline std::size_t scratch_for(std::size_t arrays, std::int64_t count) {
  return arrays * (static_cast<std::size_t>(count) * sizeof(double) + 64);
}

// The mean and 1 / sqrt(variance + eps) of a dense row, in two passes.
struct Moments {
  double mean;
  double rstd;
};
Moments moments_of(const float* row, std::int64_t count, double eps);
Moments moments_of(const double* row, std::int64_t count, double eps);

}  // namespace etalon::ops
