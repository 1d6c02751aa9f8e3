// How real numbers become int8: real = (q - zero_point) * scale, as the quantized_decomposed operators define
// it.
//
// Activations are affine in -128..127 and always hold zero exactly, so that padding and relu cost nothing.
// Weights are symmetric in -127..127: the lowest code stays unused, which keeps sums of products inside of 32
// bits on every machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"

namespace etalon::quantize {

inline constexpr std::int64_t kActivationLow = -128;
inline constexpr std::int64_t kWeightLow = -127;
inline constexpr std::int64_t kHigh = 127;

struct Params {
  double scale = 1;
  std::int64_t zero_point = 0;
  friend bool operator==(const Params&, const Params&) = default;
};

struct Range {
  double low = 0;
  double high = 0;
  friend bool operator==(const Range&, const Range&) = default;
};

// The range is widened to hold zero. One that is nothing but zero, which any scale represents, gets
// kScaleOfZero.
Params activation_params(Range range);
inline constexpr double kScaleOfZero = 1.0 / 128;

// The code of x: the reciprocal of the scale and halves to even, as the operators compute it.
std::int8_t quantised(float x, const Params& params, std::int64_t low);
inline double dequantised(std::int8_t q, const Params& params) {
  return static_cast<double>(q - params.zero_point) * params.scale;
}

}  // namespace etalon::quantize
