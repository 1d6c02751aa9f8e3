// Nodes that only look at memory differently: they cost something only where a layout is demanded.
#include "backends/native/plan_builder.h"

namespace etalon::native {
namespace {

std::size_t element_bytes(const Value& value) { return xnn::bits_of(value.type) / 8; }

// The output is `view`; copied there if it has to be elsewhere.
void alias_or_copy(PlanBuilder& builder, const Node& node, const Placement& view, const Dims& dims) {
  if (builder.try_alias(node.output(), view)) return;
  const Placement out = builder.output(node.output());
  builder.add_copy(view, out, dims, element_bytes(builder.value(node.output())), node.label,
                   &node);
}

}  // namespace

Status lower(PlanBuilder& builder, const Node& node, const Transpose& transpose) {
  const Placement in = builder.input(node.inputs[0]);
  Placement view{in.at, in.strides};
  for (std::size_t i = 0; i < transpose.perm.size(); ++i) view.strides[i] = in.strides[transpose.perm[i]];
  alias_or_copy(builder, node, view, builder.dims(node.output()));
  return {};
}

Status lower(PlanBuilder& builder, const Node& node, const Slice& slice) {
  const Placement in = builder.input(node.inputs[0]);
  Placement view = in;
  const auto bytes = static_cast<std::int64_t>(element_bytes(builder.value(node.output())));
  for (std::size_t i = 0; i < slice.offsets.size(); ++i)
    view.at.offset_bytes += slice.offsets[i] * in.strides[i] * bytes;
  alias_or_copy(builder, node, view, builder.dims(node.output()));
  return {};
}

Status lower(PlanBuilder& builder, const Node& node, const Reshape&) {
  const ValueId input = node.inputs[0];
  const Dims& in_dims = builder.dims(input);
  const Dims& out_dims = builder.dims(node.output());
  const Placement in = builder.input(input);
  if (const auto strides = reshaped_strides(in_dims, in.strides, out_dims)) {
    alias_or_copy(builder, node, {in.at, *strides}, out_dims);
    return {};
  }
  if (!builder.output_is_free(node.output())) {
    // One copy, straight to where it belongs: seen with the input's dims, a dense output is dense too.
    Placement out = builder.output(node.output());
    if (const auto strides = reshaped_strides(out_dims, out.strides, in_dims)) {
      builder.add_copy(in, {out.at, *strides}, in_dims, element_bytes(builder.value(input)), node.label,
                       &node);
      return {};
    }
  }
  const Placement dense = builder.contiguous_input(input);
  alias_or_copy(builder, node, {dense.at, contiguous_strides(out_dims)}, out_dims);
  return {};
}

// Parts whose producers wrote them in place need nothing.
Status lower(PlanBuilder& builder, const Node& node, const Concatenate& concatenate) {
  const Placement whole = builder.output(node.output());
  const auto bytes = static_cast<std::int64_t>(element_bytes(builder.value(node.output())));
  std::int64_t index = 0;
  for (const ValueId part : node.inputs) {
    const Dims& dims = builder.dims(part);
    Placement to = whole;
    to.at.offset_bytes += index * whole.strides[concatenate.axis] * bytes;
    index += dims[concatenate.axis];
    const Placement from = builder.input(part);
    if (from.at.storage == to.at.storage && from.at.offset_bytes == to.at.offset_bytes) continue;
    builder.add_copy(from, to, dims, static_cast<std::size_t>(bytes), node.label, &node);
  }
  return {};
}

}  // namespace etalon::native
