#include "ops/strided.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "ops/convert.h"
#include "ops/dispatch.h"

namespace etalon::ops {

StridedView StridedView::narrowed(std::size_t dim, std::int64_t start, std::int64_t length,
                                  std::int64_t step) const {
  StridedView view = *this;
  if (length > 0) view.data = at(start * strides[dim]);
  view.sizes[dim] = length;
  view.strides[dim] = strides[dim] * step;
  return view;
}

StridedView StridedView::selected(std::size_t dim, std::int64_t index) const {
  StridedView view = *this;
  view.data = at(index * strides[dim]);
  view.sizes.erase(dim);
  view.strides.erase(dim);
  return view;
}

StridedView StridedView::broadcast_to(const Dims& wanted) const {
  StridedView view(dtype, wanted, Dims(wanted.size(), 0), data);
  const std::size_t offset = wanted.size() - rank();
  for (std::size_t i = 0; i < rank(); ++i) {
    if (sizes[i] == wanted[offset + i]) view.strides[offset + i] = strides[i];
  }
  return view;
}

StridedView StridedView::permuted(std::span<const std::int64_t> dims) const {
  StridedView view = *this;
  for (std::size_t i = 0; i < dims.size(); ++i) {
    view.sizes[i] = sizes[static_cast<std::size_t>(dims[i])];
    view.strides[i] = strides[static_cast<std::size_t>(dims[i])];
  }
  return view;
}

template <std::size_t N>
LoopNest<N>::LoopNest(const Dims& dims, const std::array<Dims, N>& operand_strides) {
  DimOrder order;
  for (std::size_t d = 0; d < dims.size(); ++d) {
    empty = empty || dims[d] == 0;
    if (dims[d] != 1) order.push_back(static_cast<std::uint8_t>(d));
  }
  if (empty) return;
  const auto lies_further_out = [&](std::uint8_t a, std::uint8_t b) {
    return std::abs(operand_strides[0][a]) > std::abs(operand_strides[0][b]);
  };
  // A stable insertion sort, because std::stable_sort takes memory from the heap.
  for (std::uint8_t* d = order.begin(); d != order.end(); ++d) {
    std::rotate(std::upper_bound(order.begin(), d, *d, lies_further_out), d, d + 1);
  }
  for (const std::uint8_t d : order) {
    bool merges = rank > 0;
    for (std::size_t k = 0; k < N && merges; ++k)
      merges = strides[k][rank - 1] == operand_strides[k][d] * dims[d];
    const std::size_t slot = merges ? rank - 1 : rank++;
    sizes[slot] = merges ? sizes[slot] * dims[d] : dims[d];
    for (std::size_t k = 0; k < N; ++k) strides[k][slot] = operand_strides[k][d];
  }
  if (rank == 0) {
    rank = 1;
    sizes[0] = 1;
    for (std::size_t k = 0; k < N; ++k) strides[k][0] = 1;
  }
}

template struct LoopNest<1>;
template struct LoopNest<2>;
template struct LoopNest<3>;

namespace {

constexpr std::size_t kDst = 0;
constexpr std::size_t kSrc = 1;
using CopyNest = LoopNest<2>;

// A copy that changes the memory order reads one cache line per element unless it goes through in square
// tiles.
template <class T>
void transpose_tiled(const T* src, T* dst, std::int64_t rows, std::int64_t columns, std::int64_t dst_row,
                     std::int64_t src_column) {
  constexpr std::int64_t kTile = 16;
  for (std::int64_t r0 = 0; r0 < rows; r0 += kTile) {
    const std::int64_t r1 = std::min(rows, r0 + kTile);
    for (std::int64_t c0 = 0; c0 < columns; c0 += kTile) {
      const std::int64_t c1 = std::min(columns, c0 + kTile);
      for (std::int64_t r = r0; r < r1; ++r) {
        for (std::int64_t c = c0; c < c1; ++c) dst[r * dst_row + c] = src[r + c * src_column];
      }
    }
  }
}

// The dim that is dense in the source, if the innermost one (dense in the destination) is not; else
// nest.rank.
std::size_t transposed_dim(const CopyNest& nest) {
  if (nest.step(kDst) != 1 || nest.step(kSrc) == 1 || nest.step(kSrc) == 0) return nest.rank;
  for (std::size_t d = 0; d + 1 < nest.rank; ++d) {
    if (nest.strides[kSrc][d] == 1) return d;
  }
  return nest.rank;
}

void copy_transposed(CopyNest nest, std::size_t row_dim, std::size_t element_size, const std::byte* src,
                     std::byte* dst) {
  const std::int64_t rows = nest.sizes[row_dim];
  const std::int64_t dst_row = nest.strides[kDst][row_dim];
  nest.sizes[row_dim] = 1;
  const auto size = static_cast<std::int64_t>(element_size);
  for_each_run(nest, [&](const auto& at) {
    const auto tile = [&]<class T>(TypeTag<T>) {
      transpose_tiled(reinterpret_cast<const T*>(src + at[kSrc] * size),
                      reinterpret_cast<T*>(dst + at[kDst] * size), rows, nest.run(), dst_row,
                      nest.step(kSrc));
    };
    switch (element_size) {
      case 1:
        return tile(TypeTag<std::uint8_t>{});
      case 2:
        return tile(TypeTag<std::uint16_t>{});
      case 4:
        return tile(TypeTag<std::uint32_t>{});
      default:
        return tile(TypeTag<std::uint64_t>{});
    }
  });
}

template <class T>
void copy_runs(const CopyNest& nest, const std::byte* src_bytes, std::byte* dst_bytes) {
  const auto* src = reinterpret_cast<const T*>(src_bytes);
  auto* dst = reinterpret_cast<T*>(dst_bytes);
  const std::int64_t count = nest.run();
  const std::int64_t src_step = nest.step(kSrc);
  const std::int64_t dst_step = nest.step(kDst);
  constexpr std::int64_t kWorthMemmove = 32;
  const bool dense = src_step == 1 && dst_step == 1 && count >= kWorthMemmove;
  for_each_run(nest, [&](const auto& at) {
    const T* x = src + at[kSrc];
    T* y = dst + at[kDst];
    if (dense) {
      std::memmove(y, x, static_cast<std::size_t>(count) * sizeof(T));
      return;
    }
    if (dst_step == 1 && src_step == 0) {
      std::fill_n(y, count, *x);
      return;
    }
    for (std::int64_t i = 0; i < count; ++i) y[i * dst_step] = x[i * src_step];
  });
}

void copy_same_size(const CopyNest& nest, std::size_t element_size, const std::byte* src, std::byte* dst) {
  if (const std::size_t dim = transposed_dim(nest); dim != nest.rank) {
    return copy_transposed(nest, dim, element_size, src, dst);
  }
  switch (element_size) {
    case 1:
      return copy_runs<std::uint8_t>(nest, src, dst);
    case 2:
      return copy_runs<std::uint16_t>(nest, src, dst);
    case 4:
      return copy_runs<std::uint32_t>(nest, src, dst);
    default:
      return copy_runs<std::uint64_t>(nest, src, dst);
  }
}

void copy_converting(const CopyNest& nest, const StridedView& src, const StridedView& dst) {
  constexpr std::int64_t kBlock = 512;
  alignas(64) std::array<std::byte, kBlock * 8> gathered;
  alignas(64) std::array<std::byte, kBlock * 8> converted;
  const std::int64_t src_step = nest.step(kSrc);
  const std::int64_t dst_step = nest.step(kDst);
  for_each_run(nest, [&](const auto& at) {
    for (std::int64_t i = 0; i < nest.run(); i += kBlock) {
      const std::int64_t count = std::min(kBlock, nest.run() - i);
      const std::byte* x = src.at(at[kSrc] + i * src_step);
      std::byte* y = dst.at(at[kDst] + i * dst_step);
      if (src_step != 1) {
        gather_run(x, src_step, size_of(src.dtype), gathered.data(), count);
        x = gathered.data();
      }
      convert_run(src.dtype, x, dst.dtype, dst_step == 1 ? y : converted.data(), count);
      if (dst_step != 1) scatter_run(converted.data(), y, dst_step, size_of(dst.dtype), count);
    }
  });
}

}  // namespace

void copy_cast(const StridedView& src, const StridedView& dst) {
  const StridedView from = src.sizes == dst.sizes ? src : src.broadcast_to(dst.sizes);
  const CopyNest nest(dst.sizes, {dst.strides, from.strides});
  if (nest.empty) return;
  if (src.dtype == dst.dtype) {
    copy_same_size(nest, size_of(src.dtype), from.data, dst.data);
  } else {
    copy_converting(nest, from, dst);
  }
}

void fill(const StridedView& dst, const void* value) {
  const Dims still(dst.rank(), 0);
  const CopyNest nest(dst.sizes, {dst.strides, still});
  if (nest.empty) return;
  copy_same_size(nest, size_of(dst.dtype), static_cast<const std::byte*>(value), dst.data);
}

}  // namespace etalon::ops
