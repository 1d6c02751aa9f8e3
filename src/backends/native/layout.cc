#include "backends/native/layout.h"

#include <algorithm>
#include <numeric>

namespace etalon::native {
namespace {

// Dims of size one left out.
struct Shape {
  Dims dims, strides;
};
Shape squeezed(const Dims& dims, const Dims& strides) {
  Shape out;
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] == 1) continue;
    out.dims.push_back(dims[i]);
    out.strides.push_back(strides[i]);
  }
  return out;
}

bool has_no_elements(const Dims& dims) { return std::find(dims.begin(), dims.end(), 0) != dims.end(); }

}  // namespace

bool is_contiguous(const Dims& dims, const Dims& strides) {
  if (has_no_elements(dims)) return true;
  std::int64_t expected = 1;
  for (std::size_t i = dims.size(); i-- > 0;) {
    if (dims[i] == 1) continue;
    if (strides[i] != expected) return false;
    expected *= dims[i];
  }
  return true;
}

bool is_dense(const Dims& dims, const Dims& strides) {
  if (has_no_elements(dims)) return true;
  const Shape shape = squeezed(dims, strides);
  std::array<std::size_t, kMaxRank> order{};
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(shape.dims.size()),
            [&](std::size_t a, std::size_t b) { return shape.strides[a] < shape.strides[b]; });
  std::int64_t expected = 1;
  for (std::size_t i = 0; i < shape.dims.size(); ++i) {
    if (shape.strides[order[i]] != expected) return false;
    expected *= shape.dims[order[i]];
  }
  return true;
}

std::optional<std::int64_t> row_stride(const Dims& dims, const Dims& strides) {
  if (dims.empty() || has_no_elements(dims)) return dims.empty() ? 1 : dims.back();
  if (dims.back() != 1 && strides.back() != 1) return std::nullopt;
  std::int64_t stride = 0;
  std::int64_t expected = 0;
  for (std::size_t i = dims.size() - 1; i-- > 0;) {
    if (dims[i] == 1) continue;
    if (stride == 0) {
      stride = strides[i];
      expected = stride;
    }
    if (strides[i] != expected) return std::nullopt;
    expected *= dims[i];
  }
  if (stride == 0) return dims.back();
  return stride >= dims.back() ? std::optional(stride) : std::nullopt;
}

std::optional<Dims> reshaped_strides(const Dims& dims, const Dims& strides, const Dims& new_dims) {
  if (has_no_elements(dims)) return contiguous_strides(new_dims);
  const Shape old = squeezed(dims, strides);
  Dims out(new_dims.size(), std::int64_t{1});
  // Groups of old and new dims with equal products, from the innermost on.
  std::size_t i = old.dims.size();
  std::size_t j = new_dims.size();
  while (i > 0) {
    std::size_t first = i - 1;  // old dims [first, i)
    std::int64_t product = old.dims[first];
    std::size_t new_first = j;  // new dims [new_first, j)
    std::int64_t new_product = 1;
    while (product != new_product) {
      if (new_product < product) {
        if (new_first == 0) return std::nullopt;
        new_product *= new_dims[--new_first];
      } else {
        if (first == 0) return std::nullopt;
        product *= old.dims[--first];
      }
    }
    for (std::size_t k = first; k + 1 < i; ++k) {
      if (old.strides[k] != old.strides[k + 1] * old.dims[k + 1]) return std::nullopt;
    }
    std::int64_t stride = old.strides[i - 1];
    for (std::size_t k = j; k-- > new_first;) {
      out[k] = stride;
      stride *= new_dims[k];
    }
    i = first;
    j = new_first;
  }
  return out;
}

}  // namespace etalon::native
