#include "runtime/tensor.h"

#include <fmt/core.h>

#include <cstring>

#include "base/checked.h"
#include "ops/strided.h"

namespace etalon::runtime {

Result<Tensor> Tensor::zeros(DType dtype, const Dims& sizes) {
  return zeros(dtype, sizes, contiguous_order(sizes.size()));
}

Result<Tensor> Tensor::zeros(DType dtype, const Dims& sizes, const DimOrder& order) {
  ETALON_TRY(const Dims valid, make_dims(sizes.span()));
  const auto bytes = checked_mul(static_cast<std::size_t>(numel(valid)), size_of(dtype));
  if (!bytes) return resource_error(fmt::format("a tensor of shape {} is too large", to_string(sizes)));
  ETALON_TRY(AlignedBuffer memory, AlignedBuffer::allocate(*bytes));
  TensorView view(dtype, valid, order, memory.data());
  return Tensor(view, std::move(memory));
}

Result<Tensor> Tensor::from_floats(const Dims& sizes, std::span<const float> values) {
  ETALON_TRY(Tensor tensor, zeros(DType::kFloat32, sizes));
  if (values.size_bytes() != tensor.view().nbytes()) {
    return invalid_input(fmt::format("{} values for a tensor of shape {}", values.size(), to_string(sizes)));
  }
  if (!values.empty()) std::memcpy(tensor.view().data(), values.data(), values.size_bytes());
  return tensor;
}

Result<Tensor> Tensor::copy_of(const TensorView& view) {
  ETALON_TRY(Tensor tensor, zeros(view.dtype(), view.sizes()));
  ops::copy_cast(view, tensor.view());
  return tensor;
}

}  // namespace etalon::runtime
