#include "ops/infer.h"

#include <fmt/core.h>

#include "ops/promotion.h"

namespace etalon::ops {

Result<Dims> broadcast_sizes(const Call& call) {
  Dims sizes;
  for (std::size_t i = 0; i < call.arg_count(); ++i) {
    if (!call.arg(i).is(Value::Tag::kTensor)) continue;
    const auto wider = broadcast(sizes, call.tensor(i).sizes());
    if (!wider) {
      return invalid_input(fmt::format("sizes {} and {} do not broadcast", to_string(sizes),
                                       to_string(call.tensor(i).sizes())));
    }
    sizes = *wider;
  }
  return sizes;
}

const DimOrder* order_like_arguments(const Call& call, const Dims& sizes) {
  for (std::size_t i = 0; i < call.arg_count(); ++i) {
    if (call.arg(i).is(Value::Tag::kTensor) && call.tensor(i).sizes() == sizes)
      return &call.tensor(i).order();
  }
  return nullptr;
}

namespace {

Status set_like_self(const Call& call, OutShapes& outs, DType dtype) {
  const TensorView& self = call.tensor(0);
  return outs.set(0, dtype, self.sizes(), &self.order());
}

}  // namespace

Status infer_same_as(const Call& call, OutShapes& outs) {
  return set_like_self(call, outs, call.tensor(0).dtype());
}

Status infer_same_as_float(const Call& call, OutShapes& outs) {
  return set_like_self(call, outs, floating_type(call.tensor(0).dtype()));
}

Status infer_same_as_bool(const Call& call, OutShapes& outs) {
  return set_like_self(call, outs, DType::kBool);
}

Status infer_broadcast_as(const Call& call, OutShapes& outs, DType dtype) {
  ETALON_TRY(const Dims sizes, broadcast_sizes(call));
  return outs.set(0, dtype, sizes, order_like_arguments(call, sizes));
}

Status infer_broadcast(const Call& call, OutShapes& outs) {
  return infer_broadcast_as(call, outs, result_type(call, {0, 1}));
}

Status infer_broadcast_float(const Call& call, OutShapes& outs) {
  return infer_broadcast_as(call, outs, floating_type(result_type(call, {0, 1})));
}

Status infer_broadcast_bool(const Call& call, OutShapes& outs) {
  return infer_broadcast_as(call, outs, DType::kBool);
}

Status require_floating(DType dtype, std::string_view what) {
  if (is_floating(dtype)) return {};
  return unsupported(fmt::format("{} is {}, want a floating dtype", what, name_of(dtype)));
}

std::int64_t flops_per_element(const Call& call) {
  const auto sizes = broadcast_sizes(call);
  return sizes.ok() ? numel(*sizes) : 0;
}

Result<std::size_t> dim_of(std::int64_t dim, std::size_t rank) {
  const auto wrapped = wrap_dim(dim, rank);
  if (!wrapped) return invalid_input(fmt::format("dim {} is out of range for rank {}", dim, rank));
  return *wrapped;
}

}  // namespace etalon::ops
