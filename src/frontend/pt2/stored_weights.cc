#include "frontend/pt2/stored_weights.h"

#include <fmt/core.h>

#include <cstring>

#include "frontend/pt2/drawn_weights.h"

namespace etalon::frontend {
namespace pt2 = formats::pt2;
namespace {

bool is_inside(Bytes inner, Bytes outer) {
  return inner.data() >= outer.data() && inner.data() + inner.size() <= outer.data() + outer.size();
}

bool is_contiguous(const Dims& sizes, std::span<const std::int64_t> strides) {
  std::int64_t expected = 1;
  for (std::size_t i = sizes.size(); i-- > 0;) {
    if (sizes[i] != 1 && strides[i] != expected) return false;
    expected *= sizes[i];
  }
  return true;
}

}  // namespace

StorageKey key_of(const pt2::StoredTensor& tensor, std::string_view name) {
  StorageKey key{tensor.payload.data(), tensor.storage_offset, tensor.dtype,
                 tensor.sizes,          tensor.strides,        {}};
  if (key.payload == nullptr) key.name = std::string(name);
  return key;
}

std::vector<std::byte> gather_elements(Bytes payload, std::int64_t offset, const Dims& sizes,
                                       const Dims& strides, const DimOrder& order, std::size_t element_size) {
  const auto count = static_cast<std::size_t>(numel(sizes));
  std::vector<std::byte> out(count * element_size);
  const std::size_t rank = sizes.size();
  Dims index(rank, 0);
  std::int64_t at = offset;
  for (std::size_t i = 0; i < count; ++i) {
    std::memcpy(out.data() + i * element_size, payload.data() + static_cast<std::size_t>(at) * element_size,
                element_size);
    for (std::size_t k = rank; k-- > 0;) {
      const std::size_t dim = order[k];
      at += strides[dim];
      if (++index[dim] < sizes[dim]) break;
      at -= strides[dim] * sizes[dim];
      index[dim] = 0;
    }
  }
  return out;
}

Status check_tensor_size(std::string_view name, const Dims& sizes, DType dtype, std::int64_t max_bytes) {
  if (numel(sizes) <= max_bytes / static_cast<std::int64_t>(size_of(dtype))) return {};
  return resource_error(
      fmt::format("'{}' has {} elements, the limit is {} bytes", name, numel(sizes), max_bytes));
}

StoredWeights::StoredWeights(const pt2::Model& model, Bytes file, std::int64_t max_bytes)
    : file_(file), max_bytes_(max_bytes) {
  for (const auto& [name, tensor] : model.weights) {
    if (tensor.is_missing && tensor.payload.data() != nullptr)
      first_names_.try_emplace(tensor.payload.data(), name);
  }
}

std::string_view StoredWeights::drawn_name(const pt2::StoredTensor& tensor, const std::string& name) const {
  const auto found = first_names_.find(tensor.payload.data());
  return found == first_names_.end() ? std::string_view(name) : found->second;
}

Result<ir::Constant> StoredWeights::constant(const pt2::StoredTensor& tensor, const std::string& name) const {
  const auto dtype = dtype_from_number(tensor.dtype);
  if (!dtype)
    return unsupported(fmt::format("'{}' has a dtype that is not supported (number {})", name, tensor.dtype));
  ETALON_TRY(const Dims sizes, make_dims(tensor.sizes), name);
  ir::Constant constant{name, ir::TensorType::of(*dtype, sizes), {}, tensor.is_param, false};
  ETALON_CHECKED(check_tensor_size(name, sizes, *dtype, max_bytes_));
  if (tensor.is_missing) {
    constant.data = ir::Data::owned(draw_weights(drawn_name(tensor, name), *dtype, sizes));
    return constant;
  }
  const std::size_t element_size = size_of(*dtype);
  const auto needed = static_cast<std::size_t>(constant.type.nbytes());
  if (needed == 0) return constant;
  const auto start = static_cast<std::uint64_t>(tensor.storage_offset) * element_size;
  const auto part = slice(tensor.payload, start, needed);
  const bool aligned = part && reinterpret_cast<std::uintptr_t>(part->data()) % element_size == 0;
  if (is_contiguous(sizes, tensor.strides) && part) {
    if (aligned && is_inside(*part, file_)) {
      constant.data = ir::Data::borrowed(*part);
    } else {
      constant.data = ir::Data::owned({part->begin(), part->end()});
    }
    return constant;
  }
  constant.data = ir::Data::owned(gather_elements(tensor.payload, tensor.storage_offset, sizes,
                                                  Dims(std::span(tensor.strides)),
                                                  contiguous_order(sizes.size()), element_size));
  return constant;
}

}  // namespace etalon::frontend
