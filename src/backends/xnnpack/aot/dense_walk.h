// The places of a dense tensor's elements, in any order of its dims.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tensor/dims.h"

namespace etalon::xnnpack {

// Visits the elements of a dense tensor in the order that `order` puts them in memory, with their places in
// `source`, which lies in `source_order`.
template <class Visit>
void for_each_place(const Dims& sizes, const DimOrder& source_order, const DimOrder& order, Visit&& visit) {
  const Dims steps = strides_of(sizes, source_order);
  const std::int64_t count = numel(sizes);
  Dims index(sizes.size(), 0);
  std::int64_t place = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    visit(static_cast<std::size_t>(place));
    for (std::size_t k = order.size(); k-- > 0;) {
      const std::size_t dim = order[k];
      place += steps[dim];
      if (++index[dim] < sizes[dim]) break;
      place -= steps[dim] * sizes[dim];
      index[dim] = 0;
    }
  }
}

}  // namespace etalon::xnnpack
