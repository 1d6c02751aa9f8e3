// How sums begin and become floats where tiles are loops over channels.
#pragma once

#include "kernels/qd8_conv2d/dense_impl.h"
#include "kernels/qs8_conv2d/tile_lanes_impl.h"

namespace etalon::kernels {
namespace {

// Rows were gathered less their zero points.
template <class Dot>
inline std::uint32_t start_sum(const FloatEnds<Dot>&, std::int64_t) { return 0; }

template <class Dot>
inline float finish_sum(std::uint32_t sum, const FloatEnds<Dot>& f, std::int64_t i, std::int64_t c) {
  const float scale = f.rows[i].scale * f.scales[c];
  const float real = static_cast<float>(static_cast<std::int32_t>(sum)) * scale + f.bias[c];
  const float above = real > f.min ? real : f.min;
  return above < f.max ? above : f.max;
}

}  // namespace
}  // namespace etalon::kernels
