#include "ops/index_value.h"

#include <fmt/core.h>

namespace etalon::ops {

Error index_out_of_range(std::string_view op, std::int64_t index, std::size_t dim, std::int64_t size) {
  return invalid_input(fmt::format("{}: index {} is out of range for dim {} of size {}", op, index, dim, size));
}

Status check_index_dtype(std::string_view op, const TensorView& index) {
  if (index.dtype() == DType::kInt64 || index.dtype() == DType::kInt32) return {};
  return invalid_input(fmt::format("{}: index has dtype {}, want int64 or int32", op, name_of(index.dtype())));
}

}  // namespace etalon::ops
