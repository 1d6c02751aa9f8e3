// Reading indices out of tensors. Their contents come from outside: each is checked before it is used.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/result.h"
#include "tensor/tensor.h"

namespace etalon::ops {

// "gather: index 7 is out of range for dim 1 of size 5"
Error index_out_of_range(std::string_view op, std::int64_t index, std::size_t dim, std::int64_t size);

// kInvalidInput unless the tensor holds int32 or int64.
Status check_index_dtype(std::string_view op, const TensorView& index);

// Elements of a tensor of int32 or int64, by offset.
class IndexReader {
 public:
  explicit IndexReader(const TensorView& index) : data_(index.data()), is_wide_(index.dtype() == DType::kInt64) {}
  std::int64_t operator[](std::int64_t offset) const {
    return is_wide_ ? static_cast<const std::int64_t*>(data_)[offset] : static_cast<const std::int32_t*>(data_)[offset];
  }

 private:
  const void* data_;
  bool is_wide_;
};

// 0 <= index < size, as one comparison.
inline bool in_range(std::int64_t index, std::int64_t size) {
  return static_cast<std::uint64_t>(index) < static_cast<std::uint64_t>(size);
}

}  // namespace etalon::ops
