#include "backends/native/operations/matrices.h"

#include <algorithm>
#include <array>

namespace etalon::native {

Matrices matrices_of(const Placement& placement, const Dims& dims, const Dims& out_dims) {
  Matrices m;
  m.at = placement;
  const std::size_t rank = dims.size();
  m.rows = placement.strides[rank - 2];
  m.columns = placement.strides[rank - 1];
  const std::size_t outer = out_dims.size() - 2;
  for (std::size_t i = 0; i < outer; ++i) {
    const std::size_t back = outer - i;  // counted from the last outer dim
    const bool has = back + 2 <= rank;
    const std::size_t d = has ? rank - 2 - back : 0;
    m.outer.push_back(!has || (dims[d] == 1 && out_dims[i] != 1) ? 0 : placement.strides[d]);
  }
  return m;
}

bool has_dense_rows(const Placement& placement, const Dims& dims) {
  return dims.back() == 1 || placement.strides.back() == 1;
}
bool has_dense_columns(const Placement& placement, const Dims& dims) {
  const std::size_t d = dims.size() - 2;
  return dims[d] == 1 || placement.strides[d] == 1;
}

Matrices rows_of(PlanBuilder& builder, ValueId id, const Dims& out_dims) {
  Placement placement = builder.input(id);
  if (!has_dense_rows(placement, builder.dims(id))) placement = builder.contiguous_input(id);
  return matrices_of(placement, builder.dims(id), out_dims);
}

Dims outer_of(const Dims& dims) { return Dims(dims.span().first(dims.size() - 2)); }

AttentionPlaces place_attention(PlanBuilder& builder, const Node& node, float scale) {
  const Dims& dims = builder.dims(node.output());
  const Dims& q_dims = builder.dims(node.inputs[0]);
  const Dims& k_dims = builder.dims(node.inputs[1]);
  const Matrices q = rows_of(builder, node.inputs[0], dims);
  const Matrices v = rows_of(builder, node.inputs[2], dims);
  // The kernel wants a key's elements adjacent: the columns of the second factor.
  const Matrices k = matrices_of(builder.column_input(node.inputs[1]), k_dims, dims);
  const Placement out = builder.output(node.output());
  const std::size_t rank = dims.size();

  AttentionPlaces places;
  kernels::AttentionShape& shape = places.shape;
  shape.queries = dims[rank - 2];
  shape.value_depth = dims[rank - 1];
  shape.keys = k_dims.back();
  shape.depth = q_dims.back();
  shape.q_stride = q.rows;
  shape.k_stride = k.columns;
  shape.v_stride = v.rows;
  shape.out_stride = out.strides[rank - 2];
  shape.scale = scale;
  places.has_mask = node.inputs.size() > 3 && node.inputs[3] != kNoValue;
  Matrices mask;
  if (places.has_mask) {
    mask = rows_of(builder, node.inputs[3], dims);
    const Dims& mask_dims = builder.dims(node.inputs[3]);
    shape.mask_stride = mask_dims.size() < 2 || mask_dims[mask_dims.size() - 2] == 1 ? 0 : mask.rows;
  } else {
    mask.outer = Dims(rank - 2, std::int64_t{0});
  }
  const std::array<Dims, 5> strides = {Dims(out.strides.span().first(rank - 2)), q.outer, k.outer, v.outer,
                                       mask.outer};
  places.nest = LoopNest(outer_of(dims), strides, 0);
  places.q = q.at.at;
  places.k = k.at.at;
  places.v = v.at.at;
  places.out = out.at;
  places.mask = mask.at.at;
  places.multiply_adds = numel(dims) / std::max<std::int64_t>(shape.value_depth, 1) * shape.keys *
                         (shape.depth + shape.value_depth);
  places.elements = numel(q_dims) + numel(k_dims) + numel(builder.dims(node.inputs[2])) + numel(dims);
  return places;
}

}  // namespace etalon::native
