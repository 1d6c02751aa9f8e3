#include "tensor/dims.h"

#include "base/checked.h"

namespace etalon {

// So that the bytes of any dtype, and sums of a few such numbers, fit into 64 bits.
constexpr std::int64_t kMaxElements = std::int64_t{1} << 56;

Result<Dims> make_dims(std::span<const std::int64_t> sizes) {
  if (sizes.size() > kMaxRank) {
    return invalid_input("tensor has " + std::to_string(sizes.size()) + " dimensions, the limit is " +
                         std::to_string(kMaxRank));
  }
  std::int64_t count = 1;
  for (const std::int64_t size : sizes) {
    if (size < 0) return invalid_input("tensor size is negative: " + std::to_string(size));
    const auto product = checked_mul(count, std::max<std::int64_t>(size, 1));
    if (!product || *product > kMaxElements) return invalid_input("tensor has too many elements");
    count = *product;
  }
  return Dims(sizes);
}

std::int64_t numel(const Dims& sizes) {
  std::int64_t count = 1;
  for (const std::int64_t size : sizes) count *= size;
  return count;
}

DimOrder contiguous_order(std::size_t rank) {
  DimOrder order;
  for (std::size_t i = 0; i < rank; ++i) order.push_back(static_cast<std::uint8_t>(i));
  return order;
}

bool is_contiguous_order(const DimOrder& order) {
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (order[i] != i) return false;
  }
  return true;
}

bool is_channels_last_order(const DimOrder& order) {
  const std::size_t rank = order.size();
  if (rank < 3 || order[0] != 0 || order.back() != 1) return false;
  for (std::size_t i = 1; i + 1 < rank; ++i) {
    if (order[i] != i + 1) return false;
  }
  return true;
}

bool is_permutation(const DimOrder& order) {
  std::uint32_t seen = 0;
  for (const std::uint8_t dim : order) {
    if (dim >= order.size() || (seen >> dim & 1u) != 0) return false;
    seen |= 1u << dim;
  }
  return true;
}

Dims strides_of(const Dims& sizes, const DimOrder& order) {
  Dims strides(sizes.size(), 0);
  std::int64_t step = 1;
  for (std::size_t i = sizes.size(); i-- > 0;) {
    strides[order[i]] = step;
    step *= std::max<std::int64_t>(sizes[order[i]], 1);
  }
  return strides;
}

DimOrder order_of_strides(const Dims& strides) {
  DimOrder order = contiguous_order(strides.size());
  std::stable_sort(order.begin(), order.end(),
                   [&](std::uint8_t a, std::uint8_t b) { return strides[a] > strides[b]; });
  return order;
}

std::optional<Dims> broadcast(const Dims& a, const Dims& b) {
  const Dims& longer = a.size() >= b.size() ? a : b;
  const Dims& shorter = a.size() >= b.size() ? b : a;
  Dims out = longer;
  const std::size_t offset = longer.size() - shorter.size();
  for (std::size_t i = 0; i < shorter.size(); ++i) {
    const std::int64_t other = shorter[i];
    std::int64_t& size = out[offset + i];
    if (size == other || other == 1) continue;
    if (size != 1) return std::nullopt;
    size = other;
  }
  return out;
}

std::optional<std::size_t> wrap_dim(std::int64_t dim, std::size_t rank) {
  const auto limit = static_cast<std::int64_t>(std::max<std::size_t>(rank, 1));
  if (dim < -limit || dim >= limit) return std::nullopt;
  return static_cast<std::size_t>(dim < 0 ? dim + limit : dim);
}

std::string to_string(const Dims& dims) {
  std::string out = "[";
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (i > 0) out += ", ";
    out += std::to_string(dims[i]);
  }
  return out + "]";
}

}  // namespace etalon
