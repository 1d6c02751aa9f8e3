#include "backends/xnnpack/aot/payload_builder.h"

#include <algorithm>

#include "backends/xnnpack/aot/dense_walk.h"
#include "ir/builder.h"

namespace etalon::xnnpack {
namespace {

std::vector<std::uint32_t> to_u32(const Dims& dims) {
  std::vector<std::uint32_t> out;
  for (const std::int64_t size : dims) out.push_back(static_cast<std::uint32_t>(size));
  return out;
}

bool has_limits(xnn::NodeType type) {
  using enum xnn::NodeType;
  switch (type) {
    case kAdd:
    case kSubtract:
    case kMultiply:
    case kDiv:
    case kClamp:
    case kConv2d:
    case kDepthwiseConv2d:
    case kConvTranspose2d:
    case kFullyConnected:
    case kAvgPooling2d:
    case kMaxPooling2d:
      return true;
    default:
      return false;
  }
}

}  // namespace

xnn::Quantization quantisation_of(const Storage& storage) {
  if (storage.dtype != DType::kInt8) return {};
  return xnn::PerTensorQuant{storage.affine.scale, storage.affine.zero_point};
}

xnn::DataType data_type_of(DType dtype) {
  if (dtype == DType::kInt8) return xnn::DataType::kQint8;
  return dtype == DType::kFloat16 ? xnn::DataType::kFp16 : xnn::DataType::kFp32;
}

PayloadBuilder::PayloadBuilder(const ir::Graph& graph)
    : graph_(graph),
      uses_(graph.use_counts()),
      last_user_(graph.values.size(), -1),
      reps_(graph.values.size()),
      held_(graph.values.size(), ir::kNoValue) {
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
    for (const ir::Arg& arg : graph.nodes[n].args) {
      ir::for_each_value(arg, [&](ValueId id) { last_user_[ir::index_of(id)] = static_cast<std::int32_t>(n); });
    }
  }
  find_affines();
  for (std::size_t i = 0; i < graph.inputs.size(); ++i) {
    const ValueId id = graph.inputs[i].value;
    const ir::TensorType& input = type(id);
    const Shape dims = permuted(shape_of(input), input.order);
    const std::uint32_t made = add_value(dims.sizes, storage(id));
    xnn::Value& value = payload_.graph.values[made];
    value.external_id = static_cast<std::uint32_t>(i);
    value.flags = xnn::kExternalInput;
    payload_.graph.input_ids.push_back(made);
    define(id, {made, input.order, dims});
  }
  payload_.graph.num_externs = static_cast<std::uint32_t>(graph.inputs.size() + graph.outputs.size());
}

const ir::Node* PayloadBuilder::sole_user(ValueId id) const {
  const std::int32_t user = last_user_[ir::index_of(id)];
  return uses(id) == 1 && user >= 0 ? &graph_.nodes[static_cast<std::size_t>(user)] : nullptr;
}

void PayloadBuilder::begin(const ir::Node& node) {
  current_ = static_cast<std::size_t>(&node - graph_.nodes.data());
  debug_handle_ = node.debug_handles.empty() ? xnn::kNoDebugHandle : node.debug_handles.front();
}

std::uint32_t PayloadBuilder::add_value(const Dims& dims, Storage storage) {
  xnn::Value value;
  value.id = static_cast<std::uint32_t>(payload_.graph.values.size());
  value.type = data_type_of(storage.dtype);
  value.quantization = quantisation_of(storage);
  value.dims = to_u32(at_least_one_dim(dims));
  payload_.graph.values.push_back(std::move(value));
  producer_.push_back(-1);
  consumers_.push_back(0);
  return static_cast<std::uint32_t>(payload_.graph.values.size() - 1);
}

std::uint32_t PayloadBuilder::temporary(const Shape& dims, Storage storage) {
  return add_value(dims.sizes, storage);
}

void PayloadBuilder::define(ValueId id, Rep rep) {
  if (std::vector<ValueId>& names = tensors_of_[rep.id]; std::ranges::find(names, id) == names.end()) names.push_back(id);
  reps_of(id).push_back(std::move(rep));
}

std::uint32_t PayloadBuilder::make(ValueId id, const DimOrder& order) {
  const Shape dims = permuted(shape_of(type(id)), order);
  const std::uint32_t made = add_value(dims.sizes, storage(id));
  define(id, {made, order, dims});
  return made;
}

xnn::Node& PayloadBuilder::emit(xnn::NodeType type, std::vector<std::uint32_t> inputs, std::uint32_t output, xnn::Params params,
                                std::uint32_t flags) {
  for (const std::uint32_t id : inputs) {
    if (id != xnn::kNoValue) ++consumers_[id];
  }
  producer_[output] = static_cast<std::int32_t>(payload_.graph.nodes.size());
  xnn::Node node;
  node.type = type;
  node.inputs = std::move(inputs);
  node.outputs = {output};
  node.flags = flags;
  node.debug_handle = debug_handle_;
  node.params = std::move(params);
  payload_.graph.nodes.push_back(std::move(node));
  return payload_.graph.nodes.back();
}

std::uint32_t PayloadBuilder::reshape(std::uint32_t id, const Shape& from, const Shape& to, Storage storage) {
  if (from == to) return id;
  if (to.dynamic_count() > 1 && !problem_) {
    problem_ = Problem{current_, {"its shape has several dynamic sizes, and XNNPACK infers only one of a reshape", "export with one dynamic dim"}};
  }
  const std::uint32_t out = temporary(to, storage);
  xnn::Reshape params;
  for (std::size_t i = 0; i < to.rank(); ++i) params.shape.push_back(to.is_dynamic(i) ? 0 : static_cast<std::uint32_t>(to.sizes[i]));
  if (params.shape.empty()) params.shape = {1};
  emit(xnn::NodeType::kStaticReshape, {id}, out, std::move(params));
  return out;
}

std::uint32_t PayloadBuilder::transpose(std::uint32_t id, const Shape& from, const DimOrder& order,
                                        Storage storage) {
  const std::uint32_t out = temporary(permuted(from, order), storage);
  emit(xnn::NodeType::kStaticTranspose, {id}, out, xnn::Transpose{{order.begin(), order.end()}});
  return out;
}

Rep PayloadBuilder::natural(ValueId id) {
  if (reps_of(id).empty()) {
    if (constant_of(id) != nullptr) return constant_rep(id, contiguous_order(type(id).sizes.size()));
    return dequantised(id, natural(held(id)));
  }
  return reps_of(id).front();
}

Rep PayloadBuilder::with_exact_dims(ValueId id, Rep rep) {
  const Shape wanted = permuted(shape_of(type(id)), rep.order);
  if (rep.dims == wanted) return rep;
  rep.id = reshape(rep.id, rep.dims, wanted, storage(id));
  rep.dims = wanted;
  define(id, rep);
  return rep;
}

std::optional<Rep> PayloadBuilder::find(ValueId id, const DimOrder& order, const Shape& dims) const {
  for (const Rep& rep : reps_[ir::index_of(id)]) {
    if (rep.order == order && rep.dims == dims) return rep;
  }
  return std::nullopt;
}

std::uint32_t PayloadBuilder::make_like(ValueId id, const Rep& like) {
  const std::uint32_t made = temporary(like.dims, storage(id));
  define(id, {made, like.order, like.dims});
  return made;
}

Rep PayloadBuilder::exact(ValueId id) {
  const Rep first = natural(id);
  for (const Rep& rep : reps_of(id)) {
    if (rep.order == first.order && rep.dims == permuted(shape_of(type(id)), rep.order)) return rep;
  }
  return with_exact_dims(id, first);
}

// A transposition of the representation's own dims where they are the tensor's up to dims of size one, so that no reshape
// is needed before it.
Rep PayloadBuilder::reordered(ValueId id, const Rep& from, const DimOrder& order) {
  const Shape shape = shape_of(type(id));
  std::vector<std::uint8_t> tensor_dims;  // of the representation's dims that are not one
  for (const std::uint8_t dim : from.order) {
    if (!shape.is_one(dim)) tensor_dims.push_back(dim);
  }
  std::vector<std::uint8_t> places;
  for (std::size_t i = 0; i < from.dims.rank(); ++i) {
    if (!from.dims.is_one(i)) places.push_back(static_cast<std::uint8_t>(i));
  }
  bool fits = places.size() == tensor_dims.size();
  for (std::size_t i = 0; fits && i < places.size(); ++i) {
    fits = from.dims.sizes[places[i]] == shape.sizes[tensor_dims[i]] && from.dims.probe[places[i]] == shape.probe[tensor_dims[i]];
  }
  const bool same_rank = from.dims == permuted(shape, from.order);
  if (!fits || same_rank) {
    const Rep rep = with_exact_dims(id, from);
    DimOrder perm;
    for (const std::uint8_t dim : order) perm.push_back(static_cast<std::uint8_t>(position_of(rep.order, dim)));
    Rep out{transpose(rep.id, rep.dims, perm, storage(id)), order, permuted(shape, order)};
    define(id, out);
    return out;
  }
  DimOrder perm = contiguous_order(from.dims.rank());
  std::size_t next = 0;
  for (const std::uint8_t dim : order) {
    if (shape.is_one(dim)) continue;
    const auto at = static_cast<std::size_t>(std::ranges::find(tensor_dims, dim) - tensor_dims.begin());
    perm[places[next++]] = places[at];
  }
  Rep out{transpose(from.id, from.dims, perm, storage(id)), order, permuted(from.dims, perm)};
  define(id, out);
  return out;
}

std::uint32_t PayloadBuilder::get(ValueId id, const DimOrder& order) {
  if (constant_of(id) != nullptr) {
    for (const Rep& rep : reps_of(id)) {
      if (rep.order == order) return rep.id;
    }
    return constant_rep(id, order).id;
  }
  const Shape shape = shape_of(type(id));
  const Shape wanted = permuted(shape, order);
  // What is held in int8 is rearranged there.
  if (reps_of(id).empty()) return dequantised(id, {get(held(id), order), order, wanted}).id;
  const Rep* movable = nullptr;
  for (const Rep& rep : reps_of(id)) {
    if (!same_places(shape, rep.order, order)) continue;
    if (rep.dims == wanted) return rep.id;
    movable = &rep;
  }
  Rep rep = movable ? *movable : reordered(id, natural(id), order);
  rep.order = order;  // the same places
  return with_exact_dims(id, rep).id;
}

bool PayloadBuilder::prefers(ValueId id, const DimOrder& order) {
  const DimOrder& own = natural(id).order;
  return own.back() == order.back() && own.back() + std::size_t{1} != own.size();
}

Rep PayloadBuilder::in_order_any_dims(ValueId id, const DimOrder& order, std::size_t kept) {
  const Shape shape = shape_of(type(id));
  const Shape wanted = permuted(shape, order);
  const auto fits = [&](const Rep& rep) {
    if (!same_places(shape, rep.order, order) || rep.dims.rank() < kept) return false;
    for (std::size_t i = 1; i <= kept; ++i) {
      const std::size_t own = rep.dims.rank() - i;
      const std::size_t other = wanted.rank() - i;
      if (rep.dims.sizes[own] != wanted.sizes[other] || rep.dims.probe[own] != wanted.probe[other]) return false;
    }
    return true;
  };
  if (constant_of(id) == nullptr) {
    if (std::ranges::none_of(reps_of(id), [&](const Rep& rep) { return same_places(shape, rep.order, order); })) {
      (void)reordered(id, natural(id), order);
    }
    for (Rep rep : reps_of(id)) {
      if (!fits(rep)) continue;
      rep.order = order;
      return rep;
    }
  }
  return {get(id, order), order, wanted};
}

Rep PayloadBuilder::with_innermost(ValueId id, std::size_t dim) {
  const ir::TensorType& of = type(id);
  const Shape shape = shape_of(of);
  (void)natural(id);
  for (const Rep& rep : reps_of(id)) {
    const std::size_t last = rep.dims.rank() - 1;
    if (rep.dims.rank() > 0 && rep.order.back() == dim && rep.dims.sizes[last] == shape.sizes[dim] &&
        rep.dims.probe[last] == shape.probe[dim]) {
      return rep;
    }
  }
  const DimOrder from = natural(id).order;
  DimOrder order;
  const bool is_last = dim + 1 == from.size();
  for (std::size_t i = 0; i < from.size(); ++i) {
    const auto d = is_last ? static_cast<std::uint8_t>(i) : from[i];
    if (d != dim) order.push_back(d);
  }
  order.push_back(static_cast<std::uint8_t>(dim));
  const std::uint32_t made = get(id, order);
  return {made, order, permuted(shape, order)};
}

std::uint32_t PayloadBuilder::broadcastable(ValueId id, const DimOrder& order, DType dtype) {
  const ir::TensorType& of = type(id);
  const ir::Constant* source = constant_of(id);
  const bool is_int8 = affines_.contains(id);
  if (source != nullptr && numel(of.sizes) == 1 && !is_int8)
    return scalar(ir::element_as_double(*source, 0), dtype);
  if (numel(of.sizes) == 1 && numel(of.probe) == 1) return natural(id).id;
  // The tensor's own dims, in the order in which the larger tensor has them, and ones for those that it lacks.
  const std::size_t missing = order.size() - of.sizes.size();
  DimOrder own;
  Shape dims;
  const Shape shape = shape_of(of);
  for (const std::uint8_t dim : order) {
    if (dim < missing) {
      dims.push_back(1, 1);
    } else {
      own.push_back(static_cast<std::uint8_t>(dim - missing));
      dims.push_back(shape.sizes[dim - missing], shape.probe[dim - missing]);
    }
  }
  if (source == nullptr) return reshape(get(id, own), permuted(shape, own), dims, storage(id));
  if (of.dtype == dtype || is_int8) return constant(in_order(*source, own), dims.sizes, storage(id));
  std::vector<double> values;
  for_each_place(of.sizes, source->type.order, own,
                 [&](std::size_t place) { values.push_back(ir::element_as_double(*source, place)); });
  return constant(values, dims.sizes, dtype);
}

bool PayloadBuilder::fuse_limits(ValueId in, ValueId out, Limits limits) {
  if (reps_of(in).size() != 1) return false;
  const Rep rep = reps_of(in).front();
  if (producer_[rep.id] < 0 || consumers_[rep.id] != 0) return false;
  // Views of the node's result are the same payload value: a chain of single uses ends here.
  for (const ValueId alias : tensors_of_[rep.id]) {
    if (uses(alias) != 1) return false;
  }
  xnn::Node& node = payload_.graph.nodes[static_cast<std::size_t>(producer_[rep.id])];
  if (!has_limits(node.type)) return false;
  if (storage(in).affine != storage(out).affine) return false;
  const double min = std::clamp(static_cast<double>(node.output_min), limits.min, limits.max);
  const double max = std::clamp(static_cast<double>(node.output_max), limits.min, limits.max);
  if (!(static_cast<float>(min) < static_cast<float>(max))) return false;
  node.output_min = static_cast<float>(min);
  node.output_max = static_cast<float>(max);
  // What the tensors were before the limits exists no longer.
  for (const ValueId alias : tensors_of_[rep.id]) reps_of(alias).clear();
  tensors_of_[rep.id].clear();
  define(out, rep);
  return true;
}

std::uint32_t PayloadBuilder::output_value(ValueId id) {
  const ir::TensorType& of = type(id);
  std::uint32_t made = get(id, of.order);
  xnn::Value& value = payload_.graph.values[made];
  if (!value.is_external() && value.constant == 0) return made;
  // An input, a constant or another output: a copy of its own.
  const Shape dims = permuted(shape_of(of), of.order);
  const std::uint32_t copy = temporary(dims, storage(id));
  xnn::Reshape params;
  for (std::size_t i = 0; i < dims.rank(); ++i) params.shape.push_back(dims.is_dynamic(i) ? 0 : static_cast<std::uint32_t>(dims.sizes[i]));
  if (params.shape.empty()) params.shape = {1};
  emit(xnn::NodeType::kStaticReshape, {made}, copy, std::move(params));
  return copy;
}

Payload PayloadBuilder::finish() {
  for (std::size_t i = 0; i < graph_.outputs.size(); ++i) {
    current_ = graph_[std::get<ValueId>(graph_.outputs[i].value)].source_index;
    const std::uint32_t made = output_value(std::get<ValueId>(graph_.outputs[i].value));
    xnn::Value& value = payload_.graph.values[made];
    value.external_id = static_cast<std::uint32_t>(graph_.inputs.size() + i);
    value.flags = xnn::kExternalOutput;
    payload_.graph.output_ids.push_back(made);
  }
  return std::move(payload_);
}

}  // namespace etalon::xnnpack
