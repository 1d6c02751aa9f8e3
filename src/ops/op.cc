#include "ops/op.h"

namespace etalon::ops {

Scalar Call::scalar(std::size_t i) const {
  const Value& value = *args_[i];
  switch (value.tag()) {
    case Value::Tag::kDouble: return Scalar(value.as_double());
    case Value::Tag::kBool: return Scalar(value.as_bool());
    case Value::Tag::kInt: return Scalar(value.as_int());
    default: return Scalar(std::int64_t{0});
  }
}

std::optional<std::int64_t> Call::optional_int(std::size_t i) const {
  if (!has(i)) return std::nullopt;
  return integer(i);
}

std::optional<double> Call::optional_number(std::size_t i) const {
  if (!has(i)) return std::nullopt;
  return number(i);
}

Result<DType> Call::dtype_or(std::size_t i, DType fallback) const {
  if (!has(i)) return fallback;
  const auto dtype = dtype_from_number(integer(i));
  if (!dtype) return unsupported("dtype number " + std::to_string(integer(i)));
  return *dtype;
}

namespace {

std::int64_t tensor_bytes(const Value& value) {
  if (value.is(Value::Tag::kTensor)) return static_cast<std::int64_t>(value.as_tensor()->nbytes());
  std::int64_t total = 0;
  if (value.is(Value::Tag::kTensorList)) {
    for (const TensorView* item : value.as_tensors()) total += item ? static_cast<std::int64_t>(item->nbytes()) : 0;
  }
  return total;
}

}  // namespace

Traffic traffic_of(const Call& call) {
  Traffic traffic;
  for (std::size_t i = 0; i < call.arg_count(); ++i) traffic.read_bytes += tensor_bytes(call.arg(i));
  for (std::size_t i = 0; i < call.out_count(); ++i) traffic.written_bytes += tensor_bytes(call.out_value(i));
  return traffic;
}

}  // namespace etalon::ops
