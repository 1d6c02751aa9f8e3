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
      return invalid_input(
          fmt::format("sizes {} and {} do not broadcast", to_string(sizes), to_string(call.tensor(i).sizes())));
    }
    sizes = *wider;
  }
  return sizes;
}

Status infer_same_as(const Call& call, OutShapes& outs) {
  return outs.set(0, call.tensor(0).dtype(), call.tensor(0).sizes());
}

Status infer_same_as_float(const Call& call, OutShapes& outs) {
  return outs.set(0, floating_type(call.tensor(0).dtype()), call.tensor(0).sizes());
}

Status infer_same_as_bool(const Call& call, OutShapes& outs) {
  return outs.set(0, DType::kBool, call.tensor(0).sizes());
}

Status infer_broadcast(const Call& call, OutShapes& outs) {
  ETALON_TRY(const Dims sizes, broadcast_sizes(call));
  return outs.set(0, result_type(call, {0, 1}), sizes);
}

Status infer_broadcast_float(const Call& call, OutShapes& outs) {
  ETALON_TRY(const Dims sizes, broadcast_sizes(call));
  return outs.set(0, floating_type(result_type(call, {0, 1})), sizes);
}

Status infer_broadcast_bool(const Call& call, OutShapes& outs) {
  ETALON_TRY(const Dims sizes, broadcast_sizes(call));
  return outs.set(0, DType::kBool, sizes);
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
