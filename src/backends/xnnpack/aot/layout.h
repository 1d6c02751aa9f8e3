// Orders of a tensor's dims in memory, and how they pass through operators that only rearrange.
//
// An order lists the tensor's dims from outermost to innermost: [0, 1, 2, 3] is NCHW, [0, 2, 3, 1] is NHWC. Because a
// payload value may hold a tensor in any order, permuting a tensor costs nothing until someone wants another order, and
// views of channels-last tensors stay channels-last where their dims allow it.
#pragma once

#include <optional>

#include "ir/graph.h"
#include "tensor/dims.h"

namespace etalon::xnnpack {

// Sizes under both assignments of the symbols.
struct Shape {
  Dims sizes;
  Dims probe;

  std::size_t rank() const { return sizes.size(); }
  bool is_one(std::size_t dim) const { return sizes[dim] == 1 && probe[dim] == 1; }
  bool is_dynamic(std::size_t dim) const { return sizes[dim] != probe[dim]; }
  std::size_t dynamic_count() const;
  void push_back(std::int64_t size, std::int64_t at_probe) {
    sizes.push_back(size);
    probe.push_back(at_probe);
  }
  friend bool operator==(const Shape&, const Shape&) = default;
};

inline Shape shape_of(const ir::TensorType& type) { return {type.sizes, type.probe}; }
Shape static_shape(std::initializer_list<std::int64_t> sizes);
// The shape in memory: dim order[0] first.
Shape permuted(const Shape& shape, const DimOrder& order);

inline DimOrder channels_last() { return {0, 2, 3, 1}; }
// The position of a dim in an order.
std::size_t position_of(const DimOrder& order, std::size_t dim);
// True if two orders of a tensor put its elements in the same places: only dims of size one stand elsewhere.
bool same_places(const Shape& shape, const DimOrder& a, const DimOrder& b);

// The order of a view of a tensor that is held in `order`, so that no element moves; nothing if some would have to.
std::optional<DimOrder> order_through_view(const Shape& from, const DimOrder& order, const Shape& to);
// The order of permute(tensor, dims).
DimOrder order_through_permute(const DimOrder& order, const DimOrder& dims);
// The order without a dim, the dims behind it counted one less.
DimOrder order_without(const DimOrder& order, std::size_t dim);

}  // namespace etalon::xnnpack
