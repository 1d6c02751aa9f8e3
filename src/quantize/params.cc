#include "quantize/params.h"

#include <algorithm>
#include <cmath>

namespace etalon::quantize {
namespace {

// Products of two scales must stay normal floats.
constexpr double kSmallestScale = 1e-12;

}  // namespace

Params activation_params(Range range) {
  const double low = std::min(range.low, 0.0);
  const double high = std::max(range.high, 0.0);
  if (low == high) return {kScaleOfZero, 0};
  Params params;
  // A float, because payloads store floats and every runtime must see the same number.
  params.scale = static_cast<float>(
      std::max((high - low) / static_cast<double>(kHigh - kActivationLow), kSmallestScale));
  const double zero = static_cast<double>(kActivationLow) - std::nearbyint(low / params.scale);
  params.zero_point = static_cast<std::int64_t>(
      std::clamp(zero, static_cast<double>(kActivationLow), static_cast<double>(kHigh)));
  return params;
}

std::int8_t quantised(float x, const Params& params, std::int64_t low) {
  const float inverse = static_cast<float>(1.0 / params.scale);
  const float code = std::nearbyintf(x * inverse) + static_cast<float>(params.zero_point);
  return static_cast<std::int8_t>(std::clamp(code, static_cast<float>(low), static_cast<float>(kHigh)));
}

}  // namespace etalon::quantize
