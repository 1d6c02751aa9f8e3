// Plain loops over the positions and taps of a convolution.
#pragma once

#include "ops/convolution_geometry.h"

namespace etalon::ops {

// Calls `visit(position)` for each position in order.
template <class Visit>
void for_each_position(const Spatial& sizes, Visit visit) {
  for (std::int64_t z = 0; z < sizes[0]; ++z) {
    for (std::int64_t y = 0; y < sizes[1]; ++y) {
      for (std::int64_t x = 0; x < sizes[2]; ++x) visit(Spatial{z, y, x});
    }
  }
}

inline std::int64_t offset_of(const Spatial& position, const Spatial& strides) {
  return position[0] * strides[0] + position[1] * strides[1] + position[2] * strides[2];
}

// Calls `visit(tap, input position)` for the taps that meet the input.
template <class Visit>
void for_each_tap(const ConvolutionGeometry& g, const Spatial& position, Visit visit) {
  for_each_position(g.kernel, [&](const Spatial& tap) {
    Spatial at;
    for (std::size_t d = 0; d < kSpatial; ++d) at[d] = g.source(d, position[d], tap[d]);
    if (at[0] >= 0 && at[1] >= 0 && at[2] >= 0) visit(tap, at);
  });
}

}  // namespace etalon::ops
