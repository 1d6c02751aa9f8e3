#include "backends/native/operations/broadcast.h"

#include <array>

namespace etalon::native {
namespace {

Dims broadcast_strides(const Dims& dims, const Dims& strides, const Dims& out) {
  Dims result(out.size(), std::int64_t{0});
  const std::size_t skip = out.size() - dims.size();
  for (std::size_t i = 0; i < dims.size(); ++i) {
    result[skip + i] = dims[i] == 1 && out[skip + i] != 1 ? 0 : strides[i];
  }
  return result;
}

LoopNest nest_of(const Dims& dims, const Dims& out, const Dims& a_dims, const Dims& a, const Dims& b_dims,
                 const Dims& b) {
  const std::array<Dims, 3> strides = {out, broadcast_strides(a_dims, a, dims),
                                       broadcast_strides(b_dims, b, dims)};
  return LoopNest(dims, strides, 0);
}

}  // namespace

bool runs_are_direct(const LoopNest& nest, std::size_t operands) {
  if (nest.rank() == 0) return true;
  if (nest.inner_stride(0) != 1) return false;
  for (std::size_t k = 1; k <= operands; ++k) {
    if (nest.inner_stride(k) > 1) return false;
  }
  return true;
}

UnaryPlaces place_unary(PlanBuilder& builder, const Node& node) {
  const Dims& dims = builder.dims(node.output());
  UnaryPlaces places{builder.input(node.inputs[0]), {}, {}};
  const bool keeps_layout = is_dense(builder.dims(node.inputs[0]), places.in.strides);
  places.out = builder.output(node.output(), keeps_layout ? &places.in.strides : nullptr);
  std::array<Dims, 2> strides = {places.out.strides, places.in.strides};
  places.nest = LoopNest(dims, strides, 0);
  if (!runs_are_direct(places.nest, 1) || (places.nest.rank() != 0 && places.nest.inner_stride(1) == 0)) {
    places.in = builder.contiguous_input(node.inputs[0]);
    strides[1] = places.in.strides;
    places.nest = LoopNest(dims, strides, 0);
  }
  return places;
}

BinaryPlaces place_binary(PlanBuilder& builder, const Node& node) {
  const ValueId a_id = node.inputs[0];
  const ValueId b_id = node.inputs[1];
  const Dims& dims = builder.dims(node.output());
  BinaryPlaces places{builder.input(a_id), builder.input(b_id), {}, {}};
  const auto works = [&](const Dims& out) {
    places.nest =
        nest_of(dims, out, builder.dims(a_id), places.a.strides, builder.dims(b_id), places.b.strides);
    return runs_are_direct(places.nest, 2);
  };
  for (const ValueId id : {a_id, b_id}) {
    const Dims strides = id == a_id ? places.a.strides : places.b.strides;
    if (!builder.output_is_free(node.output()) || builder.dims(id) != dims || !is_dense(dims, strides))
      continue;
    if (!works(strides)) continue;
    places.out = builder.output(node.output(), &strides);
    return places;
  }
  places.out = builder.output(node.output());
  if (works(places.out.strides)) return places;
  places.a = builder.contiguous_input(a_id);
  places.b = builder.contiguous_input(b_id);
  ETALON_CHECK(works(places.out.strides));
  return places;
}

bool is_row_against_matrix(const LoopNest& nest, std::size_t matrix, std::size_t row) {
  const std::size_t rank = nest.rank();
  if (rank < 2) return false;
  const std::int64_t columns = nest.size(rank - 1);
  return nest.inner_stride(matrix) == 1 && nest.inner_stride(row) == 1 && nest.stride(row, rank - 2) == 0 &&
         nest.stride(matrix, rank - 2) == columns && nest.stride(0, rank - 2) == columns;
}

LoopNest with_sides_swapped(const LoopNest& nest) {
  const std::size_t rank = nest.rank();
  Dims sizes;
  std::array<Dims, 3> strides;
  for (std::size_t d = 0; d < rank; ++d) {
    sizes.push_back(nest.size(d));
    strides[0].push_back(nest.stride(0, d));
    strides[1].push_back(nest.stride(2, d));
    strides[2].push_back(nest.stride(1, d));
  }
  return LoopNest(sizes, strides, rank);
}

}  // namespace etalon::native
