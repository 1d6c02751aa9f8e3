// Convolutions to test every algorithm with, and what they should give, computed in double precision.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "kernels/conv2d/conv2d.h"
#include "kernels/testing.h"

namespace etalon::kernels::testing {

struct Conv2dCase {
  std::string name;
  Conv2dShape shape;
  Epilogue epilogue;
};

// 64-byte aligned floats, with a guard behind them that check() looks at.
class FloatBuffer {
 public:
  explicit FloatBuffer(std::size_t size, float fill = 0)
      : size_(size), data_(static_cast<float*>(std::aligned_alloc(64, bytes())), std::free) {
    for (std::size_t i = 0; i < bytes() / sizeof(float); ++i) data_.get()[i] = i < size ? fill : kGuard;
  }
  float* data() { return data_.get(); }
  const float* data() const { return data_.get(); }
  std::size_t size() const { return size_; }
  float& operator[](std::size_t i) { return data_.get()[i]; }
  float operator[](std::size_t i) const { return data_.get()[i]; }
  bool guard_is_whole() const {
    for (std::size_t i = size_; i < bytes() / sizeof(float); ++i) {
      if (data_.get()[i] != kGuard) return false;
    }
    return true;
  }

 private:
  static constexpr float kGuard = 12345.5f;
  std::size_t bytes() const { return ((size_ + 15) / 16 + 4) * 64; }
  std::size_t size_;
  std::unique_ptr<float, decltype(&std::free)> data_;
};

// Deterministic floats in [-1, 1).
class Noise {
 public:
  explicit Noise(std::uint32_t seed) : state_(seed * 2654435761u + 12345u) {}
  float next() {
    state_ = state_ * 1664525u + 1013904223u;
    return static_cast<float>(static_cast<std::int32_t>(state_)) * 0x1p-31f;
  }

 private:
  std::uint32_t state_;
};

inline double apply(Activation activation, double x, double alpha) {
  switch (activation) {
    case Activation::kNone: return x;
    case Activation::kHardswish: return x * std::min(std::max(x + 3, 0.0), 6.0) / 6;
    case Activation::kHardsigmoid: return std::min(std::max(x + 3, 0.0), 6.0) / 6;
    case Activation::kSigmoid: return 1 / (1 + std::exp(-x));
    case Activation::kSilu: return x / (1 + std::exp(-x));
    case Activation::kGelu: return 0.5 * x * std::erfc(-x / std::sqrt(2.0));
    case Activation::kTanh: return std::tanh(x);
    case Activation::kLeakyRelu: return x < 0 ? alpha * x : x;
    case Activation::kElu: return x < 0 ? alpha * std::expm1(x) : x;
  }
  return x;
}

struct Conv2dTensors {
  FloatBuffer input, filter, bias, residual, scale;
  std::vector<double> want;        // [pixel][out_c]
  std::vector<double> magnitude;   // sum of |products|, likewise: errors are relative to it
};

inline std::int64_t residual_stride_of(const Conv2dShape& s) { return s.out_c + 3; }

// Gaps between pixels are NaN: whoever uses them shows it.
inline Conv2dTensors make_tensors(const Conv2dCase& c, std::uint32_t seed) {
  const Conv2dShape& s = c.shape;
  const float nan = std::nanf("");
  const auto pixels_in = static_cast<std::size_t>(s.batch * s.in_h * s.in_w);
  const auto pixels_out = static_cast<std::size_t>(s.batch * s.out_h * s.out_w);
  const auto stride = static_cast<std::size_t>(s.input_is_nchw ? s.in_c : s.in_pixel_stride);
  const auto out_c = static_cast<std::size_t>(s.out_c), in_c = static_cast<std::size_t>(s.in_c);
  const auto taps = static_cast<std::size_t>(s.kernel_h * s.kernel_w);
  Conv2dTensors t{FloatBuffer(pixels_in * stride, nan), FloatBuffer(out_c * taps * in_c / static_cast<std::size_t>(s.groups)),
                  FloatBuffer(out_c), FloatBuffer(pixels_out * static_cast<std::size_t>(residual_stride_of(s)), nan),
                  FloatBuffer(static_cast<std::size_t>(s.batch) * in_c), {}, {}};
  Noise noise(seed);
  for (std::size_t p = 0; p < pixels_in; ++p) {
    for (std::size_t i = 0; i < in_c; ++i) t.input[p * stride + i] = noise.next();
  }
  for (std::size_t i = 0; i < t.filter.size(); ++i) t.filter[i] = noise.next();
  for (std::size_t i = 0; i < out_c; ++i) t.bias[i] = noise.next();
  for (std::size_t i = 0; i < t.scale.size(); ++i) t.scale[i] = noise.next() + 0.25f;
  for (std::size_t p = 0; p < pixels_out; ++p) {
    for (std::size_t i = 0; i < out_c; ++i) {
      t.residual[p * static_cast<std::size_t>(residual_stride_of(s)) + i] = noise.next();
    }
  }
  return t;
}

inline double input_at(const Conv2dShape& s, const Conv2dTensors& t, std::int64_t image, std::int64_t y,
                       std::int64_t x, std::int64_t channel) {
  const std::int64_t at = s.input_is_nchw ? ((image * s.in_c + channel) * s.in_h + y) * s.in_w + x
                                          : ((image * s.in_h + y) * s.in_w + x) * s.in_pixel_stride + channel;
  const double value = t.input[static_cast<std::size_t>(at)];
  return s.has_input_scale ? value * t.scale[static_cast<std::size_t>(image * s.in_c + channel)] : value;
}

inline void compute_reference(const Conv2dCase& c, Conv2dTensors& t) {
  const Conv2dShape& s = c.shape;
  const std::int64_t in_per_group = s.in_c / s.groups, out_per_group = s.out_c / s.groups;
  for (std::int64_t p = 0; p < s.batch * s.out_h * s.out_w; ++p) {
    const std::int64_t image = p / (s.out_h * s.out_w), y = p / s.out_w % s.out_h, x = p % s.out_w;
    for (std::int64_t o = 0; o < s.out_c; ++o) {
      double sum = t.bias[static_cast<std::size_t>(o)], magnitude = std::abs(sum);
      for (std::int64_t tap = 0; tap < s.kernel_h * s.kernel_w; ++tap) {
        const std::int64_t in_y = y * s.stride_h - s.pad_top + tap / s.kernel_w * s.dilation_h;
        const std::int64_t in_x = x * s.stride_w - s.pad_left + tap % s.kernel_w * s.dilation_w;
        if (in_y < 0 || in_y >= s.in_h || in_x < 0 || in_x >= s.in_w) continue;
        for (std::int64_t k = 0; k < in_per_group; ++k) {
          const std::int64_t w = s.is_depthwise() ? tap * s.out_c + o
                                                  : (o * s.kernel_h * s.kernel_w + tap) * in_per_group + k;
          const double product = input_at(s, t, image, in_y, in_x, o / out_per_group * in_per_group + k) *
                                 t.filter[static_cast<std::size_t>(w)];
          sum += product;
          magnitude += std::abs(product);
        }
      }
      const double residual = t.residual[static_cast<std::size_t>(p * residual_stride_of(s) + o)];
      if (c.epilogue.residual == Epilogue::Residual::kBeforeActivation) sum += residual;
      sum = apply(c.epilogue.activation, sum, c.epilogue.alpha);
      sum = std::min<double>(std::max<double>(sum, c.epilogue.min), c.epilogue.max);
      if (c.epilogue.residual == Epilogue::Residual::kAfterActivation) sum += residual;
      t.want.push_back(sum);
      t.magnitude.push_back(magnitude + 1);
    }
  }
}

// Output size that pads `before` and as much after as makes the kernel end inside.
inline std::int64_t out_size(std::int64_t in, std::int64_t kernel, std::int64_t stride, std::int64_t dilation,
                             std::int64_t before, std::int64_t after) {
  return (in + before + after - (kernel - 1) * dilation - 1) / stride + 1;
}

// Relative to the sum of |products|. Winograd's transforms amplify rounding; the modes say what they allow. Two factors
// with half a unit of bfloat16's eight bits each make 2^-8 in their product.
inline double tolerance_of(const Conv2dAlgorithm& algorithm) {
  if (algorithm.math == MathMode::kBf16) return 0x1.01p-8;
  if (algorithm.math == MathMode::kFp16) return 34 * 0x1p-11;  // two factors of eleven bits, and 32 sums
  if (algorithm.math == MathMode::kFast) return 4e-5;
  return algorithm.tile.starts_with("F(") ? 1e-5 : 1e-6;
}

// What arithmetic of a mode should give but for the rounding of sums: both factors rounded, the input after its scale was
// applied.
inline void compute_rounded_reference(const Conv2dCase& c, Conv2dTensors& t, MathMode math) {
  Conv2dCase rounded = c;
  rounded.shape.has_input_scale = false;
  Conv2dTensors r = make_tensors(rounded, 1);
  const auto pixels = static_cast<std::size_t>(c.shape.batch * c.shape.in_h * c.shape.in_w);
  const std::size_t per_image = pixels / static_cast<std::size_t>(c.shape.batch), stride = t.input.size() / pixels;
  const auto in_c = static_cast<std::size_t>(c.shape.in_c);
  for (std::size_t i = 0; i < t.input.size(); ++i) {
    const std::size_t channel = i % stride, image = i / stride / per_image;
    const bool scaled = c.shape.has_input_scale && channel < in_c;
    r.input[i] = rounded_for(math, scaled ? t.input[i] * t.scale[image * in_c + channel] : t.input[i]);
  }
  for (std::size_t i = 0; i < t.filter.size(); ++i) r.filter[i] = rounded_for(math, t.filter[i]);
  for (std::size_t i = 0; i < t.bias.size(); ++i) r.bias[i] = t.bias[i];
  for (std::size_t i = 0; i < t.residual.size(); ++i) r.residual[i] = t.residual[i];
  compute_reference(rounded, r);
  t.want = r.want, t.magnitude = r.magnitude;
}

// Empty if the algorithm computes the case right with this many workers; `results` are the output with its gaps.
// `tolerance` is relative to the sum of |products|; 0: tolerance_of() the algorithm.
inline std::string run_case(const Conv2dAlgorithm& a, const Conv2dCase& c, const Conv2dTensors& t, unsigned workers,
                     const Machine& machine, bool residual_is_output, std::vector<float>* results = nullptr, double tolerance = 0) {
  if (tolerance == 0) tolerance = tolerance_of(a);
  const Conv2dShape& s = c.shape;
  FloatBuffer packed(a.packed_bytes(s) / sizeof(float), 7.0f), again(a.packed_bytes(s) / sizeof(float), 9.0f);
  a.pack(s, t.filter.data(), t.bias.data(), packed.data());
  a.pack(s, t.filter.data(), t.bias.data(), again.data());
  if (std::memcmp(packed.data(), again.data(), packed.size() * sizeof(float)) != 0) return "packing leaves gaps";
  const auto pixels = static_cast<std::size_t>(s.batch * s.out_h * s.out_w);
  const auto stride = static_cast<std::size_t>(s.out_pixel_stride), channels = static_cast<std::size_t>(s.out_c);
  const float untouched = -77.25f;
  FloatBuffer output(pixels * stride, untouched);
  const auto residual_stride = static_cast<std::size_t>(residual_stride_of(s));
  Conv2dCall call{.input = t.input.data(), .output = output.data(), .packed = packed.data()};
  if (s.has_input_scale) call.input_scale = t.scale.data();
  if (c.epilogue.residual != Epilogue::Residual::kNone) {
    call.residual = t.residual.data(), call.residual_pixel_stride = static_cast<std::int64_t>(residual_stride);
    if (residual_is_output) {
      for (std::size_t p = 0; p < pixels; ++p) {
        std::copy_n(t.residual.data() + p * residual_stride, channels, output.data() + p * stride);
      }
      call.residual = output.data(), call.residual_pixel_stride = s.out_pixel_stride;
    }
  }
  for (unsigned worker = 0; worker < workers; ++worker) {
    FloatBuffer scratch((a.scratch_bytes(s, machine) + 3) / 4, std::nanf(""));
    call.scratch = reinterpret_cast<std::byte*>(scratch.data());
    a.run(s, c.epilogue, machine, call, worker, workers);
    if (!scratch.guard_is_whole()) return "writes beyond the scratch";
  }
  if (results != nullptr) results->assign(output.data(), output.data() + output.size());
  if (!output.guard_is_whole() || !packed.guard_is_whole()) return "writes beyond the end";
  for (std::size_t p = 0; p < pixels; ++p) {
    for (std::size_t o = 0; o < stride; ++o) {
      const float got = output[p * stride + o];
      if (o >= channels) {
        if (got != untouched) return "writes between pixels";
        continue;
      }
      const double want = t.want[p * channels + o];
      if (!(std::abs(got - want) <= tolerance * t.magnitude[p * channels + o])) {
        return "pixel " + std::to_string(p) + " channel " + std::to_string(o) + " is " + std::to_string(got) +
               ", wanted " + std::to_string(want);
      }
    }
  }
  return "";
}

std::vector<Conv2dCase> conv2d_cases();

}  // namespace etalon::kernels::testing
