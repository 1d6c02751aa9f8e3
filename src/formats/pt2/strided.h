// Whether a strided tensor lies inside its bytes. Private to formats/pt2.
#pragma once

#include <optional>
#include <vector>

#include "base/checked.h"
#include "base/result.h"
#include "fmt/format.h"
#include "formats/scalar_type.h"

namespace etalon::formats::pt2 {

struct Strided {
  std::int8_t dtype;
  const std::vector<std::int64_t>& sizes;
  const std::vector<std::int64_t>& strides;
  std::int64_t offset;
};

// Bytes that the storage must have at least; 0 for a tensor without elements. Errors: kInvalidInput,
// kUnsupported.
inline Result<std::uint64_t> needed_storage(const Strided& tensor) {
  const std::uint64_t item = scalar_type_size(tensor.dtype);
  if (item == 0) return unsupported(fmt::format("elements of type {}", tensor.dtype));
  if (tensor.sizes.size() != tensor.strides.size()) {
    return invalid_input(fmt::format("{} sizes, but {} strides", tensor.sizes.size(), tensor.strides.size()));
  }
  if (tensor.offset < 0) return invalid_input(fmt::format("storage offset is {}", tensor.offset));
  if (!dense_nbytes<std::int64_t>(tensor.dtype, tensor.sizes)) {
    return invalid_input("a size is negative or the number of elements overflows");
  }
  auto last = std::optional(static_cast<std::uint64_t>(tensor.offset));
  bool empty = false;
  for (std::size_t i = 0; i < tensor.sizes.size(); ++i) {
    if (tensor.strides[i] < 0) return invalid_input(fmt::format("stride is {}", tensor.strides[i]));
    if (tensor.sizes[i] == 0) empty = true;
    if (tensor.sizes[i] <= 1 || !last) continue;
    const auto step = checked_mul(static_cast<std::uint64_t>(tensor.sizes[i] - 1),
                                  static_cast<std::uint64_t>(tensor.strides[i]));
    last = step ? checked_add(*last, *step) : std::nullopt;
  }
  if (empty) return std::uint64_t{0};
  const auto count = last ? checked_add(*last, std::uint64_t{1}) : std::nullopt;
  const auto bytes = count ? checked_mul(*count, item) : std::nullopt;
  if (!bytes) return invalid_input("the place of the last element overflows");
  return *bytes;
}

}  // namespace etalon::formats::pt2
