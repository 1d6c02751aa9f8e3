// What happens to a float result between the arithmetic and memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

namespace etalon::kernels {

enum class Activation : std::uint8_t {
  kNone,
  kHardswish,    // x * clamp(x + 3, 0, 6) / 6
  kHardsigmoid,  // clamp(x + 3, 0, 6) / 6
  kSigmoid,
  kSilu,         // x * sigmoid(x)
  kGelu,         // the erf form
  kTanh,
  kLeakyRelu,    // x < 0 ? alpha * x : x
  kElu,          // x < 0 ? alpha * (exp(x) - 1) : x
};

// y = clamp(activation(x [+ residual])) or clamp(activation(x)) + residual
struct Epilogue {
  enum class Residual : std::uint8_t { kNone, kBeforeActivation, kAfterActivation };
  Activation activation = Activation::kNone;
  float alpha = 0;
  float min = -std::numeric_limits<float>::infinity();  // NaN passes through the clamp
  float max = std::numeric_limits<float>::infinity();
  Residual residual = Residual::kNone;
};

}  // namespace etalon::kernels
