// Tensors with free strides, loops over several of them, and the copy that every data-moving operator is
// built on.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/result.h"
#include "tensor/tensor.h"

namespace etalon::ops {

// Like TensorView, but strides (in elements) are free: 0 repeats, negative walks backwards. Borrows `data`.
// The members below return views of the same memory; their arguments must already be valid.
struct StridedView {
  DType dtype = DType::kFloat32;
  Dims sizes;
  Dims strides;
  std::byte* data = nullptr;

  StridedView(DType type, const Dims& view_sizes, const Dims& view_strides, void* memory)
      : dtype(type), sizes(view_sizes), strides(view_strides), data(static_cast<std::byte*>(memory)) {}
  explicit StridedView(const TensorView& view)
      : StridedView(view.dtype(), view.sizes(), view.strides(), view.data()) {}

  std::size_t rank() const { return sizes.size(); }
  std::int64_t numel() const { return etalon::numel(sizes); }
  // Null if there is no memory, as at export.
  std::byte* at(std::int64_t offset) const {
    return data == nullptr ? nullptr : data + offset * static_cast<std::int64_t>(size_of(dtype));
  }

  StridedView narrowed(std::size_t dim, std::int64_t start, std::int64_t length, std::int64_t step = 1) const;
  StridedView selected(std::size_t dim, std::int64_t index) const;  // without the dim
  StridedView broadcast_to(const Dims& wanted) const;               // `sizes` broadcasts to `wanted`
  StridedView permuted(std::span<const std::int64_t> dims) const;   // dim i of the result is dims[i] of this
};

// Nested loops over the same index space for N operands, with dims of size one dropped, dims that are
// adjacent in memory for every operand merged, and the rest ordered so that operand 0 is walked in memory
// order.
template <std::size_t N>
struct LoopNest {
  bool empty = false;                                           // some size is zero
  std::size_t rank = 0;                                         // at least 1 unless empty
  std::array<std::int64_t, kMaxRank> sizes{};                   // outermost first
  std::array<std::array<std::int64_t, kMaxRank>, N> strides{};  // [operand][dim], in elements

  // All stride vectors have as many entries as `dims`.
  LoopNest(const Dims& dims, const std::array<Dims, N>& operand_strides);

  std::int64_t run() const { return sizes[rank - 1]; }  // length of the innermost loop
  std::int64_t step(std::size_t operand) const { return strides[operand][rank - 1]; }
};
extern template struct LoopNest<1>;
extern template struct LoopNest<2>;
extern template struct LoopNest<3>;

// Calls `visit(offsets)` for each innermost run; offsets[k] is in elements of operand k.
template <std::size_t N, class Visit>
void for_each_run(const LoopNest<N>& nest, Visit&& visit) {
  if (nest.empty) return;
  std::array<std::int64_t, N> offsets{};
  std::array<std::int64_t, kMaxRank> index{};
  while (true) {
    visit(static_cast<const std::array<std::int64_t, N>&>(offsets));
    std::size_t dim = nest.rank - 1;
    while (true) {
      if (dim == 0) return;
      --dim;
      for (std::size_t k = 0; k < N; ++k) offsets[k] += nest.strides[k][dim];
      if (++index[dim] < nest.sizes[dim]) break;
      for (std::size_t k = 0; k < N; ++k) offsets[k] -= nest.strides[k][dim] * nest.sizes[dim];
      index[dim] = 0;
    }
  }
}

// Copies `src` into `dst`, converting the dtype. `src` may broadcast: sizes agree from the last dim on, or
// are one. The memory must not overlap, except for the exact same elements. Shapes are the caller's to check.
void copy_cast(const StridedView& src, const StridedView& dst);
inline void copy_cast(const TensorView& src, const TensorView& dst) {
  copy_cast(StridedView(src), StridedView(dst));
}

// Sets every element of `dst` to the element at `value` (of dst's dtype).
void fill(const StridedView& dst, const void* value);

}  // namespace etalon::ops
