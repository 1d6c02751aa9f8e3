// Every shape, one output at a time: what is left when nothing faster takes a convolution.
#include "kernels/conv2d/conv2d.h"

namespace etalon::kernels {
namespace {

float activate(float x, const Epilogue& e) {
  switch (e.activation) {
    case Activation::kNone: return x;
    case Activation::kHardswish: return x * __builtin_fminf(__builtin_fmaxf(x + 3, 0), 6) * (1.0f / 6);
    case Activation::kHardsigmoid: return (x != x) ? x : __builtin_fminf(__builtin_fmaxf(x + 3, 0), 6) * (1.0f / 6);
    case Activation::kSigmoid: return 1 / (1 + __builtin_expf(-x));
    case Activation::kSilu: return x / (1 + __builtin_expf(-x));
    case Activation::kGelu: return 0.5f * x * __builtin_erfcf(x * -0.70710678118654752f);
    case Activation::kTanh: return __builtin_tanhf(x);
    case Activation::kLeakyRelu: return x < 0 ? x * e.alpha : x;
    case Activation::kElu: return x < 0 ? e.alpha * __builtin_expm1f(x) : x;
  }
  return x;
}

float clamp(float x, const Epilogue& e) {
  if (x < e.min) return e.min;
  return x > e.max ? e.max : x;
}

float finish(float x, const float* residual, const Epilogue& e) {
  if (e.residual == Epilogue::Residual::kBeforeActivation) x += *residual;
  x = clamp(activate(x, e), e);
  return e.residual == Epilogue::Residual::kAfterActivation ? x + *residual : x;
}

struct Input {
  const float* data;
  const float* scale;  // of this image, or null
  std::int64_t pixel_stride, channel_stride;

  float at(std::int64_t pixel, std::int64_t channel) const {
    const float x = data[pixel * pixel_stride + channel * channel_stride];
    return scale == nullptr ? x : x * scale[channel];
  }
};

Input input_of_image(const Conv2dShape& s, const Conv2dCall& call, std::int64_t image) {
  const std::int64_t pixels = s.in_h * s.in_w;
  const float* scale = s.has_input_scale ? call.input_scale + image * s.in_c : nullptr;
  if (s.input_is_nchw) return {call.input + image * s.in_c * pixels, scale, 1, pixels};
  return {call.input + image * pixels * s.in_pixel_stride, scale, s.in_pixel_stride, 1};
}

// One output pixel's sums, channel by channel; `store(channel, sum)` takes them.
template <bool kDepthwise, class Store>
void sum_pixel(const Conv2dShape& s, const Input& in, const float* bias, std::int64_t y, std::int64_t x, Store store) {
  const float* filter = bias + s.out_c;
  const std::int64_t in_per_group = s.in_c / s.groups, out_per_group = s.out_c / s.groups;
  for (std::int64_t o = 0; o < s.out_c; ++o) {
    const std::int64_t first = o / out_per_group * in_per_group;
    float sum = bias[o];
    for (std::int64_t ky = 0; ky < s.kernel_h; ++ky) {
      const std::int64_t in_y = y * s.stride_h - s.pad_top + ky * s.dilation_h;
      if (in_y < 0 || in_y >= s.in_h) continue;
      for (std::int64_t kx = 0; kx < s.kernel_w; ++kx) {
        const std::int64_t in_x = x * s.stride_w - s.pad_left + kx * s.dilation_w;
        if (in_x < 0 || in_x >= s.in_w) continue;
        const std::int64_t tap = ky * s.kernel_w + kx;
        const float* w = kDepthwise ? filter + tap * s.out_c + o
                                    : filter + (o * s.kernel_h * s.kernel_w + tap) * in_per_group;
        for (std::int64_t c = 0; c < in_per_group; ++c) sum += in.at(in_y * s.in_w + in_x, first + c) * w[c];
      }
    }
    store(o, sum);
  }
}

template <bool kDepthwise>
void run(const Conv2dShape& s, const Epilogue& e, const Machine&, const Conv2dCall& call, unsigned worker,
         unsigned workers) {
  const std::int64_t pixels = s.out_h * s.out_w, all = s.batch * pixels;
  const std::int64_t begin = all * worker / workers, end = all * (worker + 1) / workers;
  for (std::int64_t i = begin; i < end; ++i) {
    const std::int64_t image = i / pixels, y = i % pixels / s.out_w, x = i % s.out_w;
    const float* residual = call.residual == nullptr ? nullptr : call.residual + i * call.residual_pixel_stride;
    float* out = call.output + i * s.out_pixel_stride;
    sum_pixel<kDepthwise>(s, input_of_image(s, call, image), static_cast<const float*>(call.packed), y, x,
                          [&](std::int64_t o, float sum) {
                            out[o] = finish(sum, residual == nullptr ? nullptr : residual + o, e);
                          });
  }
}

template <bool kDepthwise>
const char* refusal(const Conv2dShape& s, const Epilogue&) {
  if (kDepthwise == s.is_depthwise()) return nullptr;
  return kDepthwise ? "wants a depthwise convolution" : "wants one that is not depthwise";
}

double cycles(const Conv2dShape& s, const Machine&) { return 3.0 * static_cast<double>(s.multiply_adds()); }

std::size_t filter_size(const Conv2dShape& s) {
  return static_cast<std::size_t>(s.out_c * s.kernel_h * s.kernel_w * (s.in_c / s.groups));
}

std::size_t packed_bytes(const Conv2dShape& s) {
  return (static_cast<std::size_t>(s.out_c) + filter_size(s)) * sizeof(float);
}

// Bias first, then the filter as it came.
void pack(const Conv2dShape& s, const float* filter, const float* bias, void* packed) {
  auto* out = static_cast<float*>(packed);
  const auto channels = static_cast<std::size_t>(s.out_c);
  for (std::size_t o = 0; o < channels; ++o) out[o] = bias == nullptr ? 0.0f : bias[o];
  __builtin_memcpy(out + channels, filter, filter_size(s) * sizeof(float));
}

std::size_t scratch_bytes(const Conv2dShape&, const Machine&) { return 0; }

}  // namespace

extern constinit const Conv2dAlgorithm kPlainScalar{
    .name = "f32_conv2d_minmax_ukernel_1x1__scalar", .tile = "1x1", .isa = Isa::kScalar, .math = MathMode::kExact,
    .is_depthwise = false, .refusal = refusal<false>, .cycles = cycles, .packed_bytes = packed_bytes, .pack = pack,
    .scratch_bytes = scratch_bytes, .run = run<false>};

extern constinit const Conv2dAlgorithm kPlainDepthwiseScalar{
    .name = "f32_dwconv_minmax_ukernel_1c__scalar", .tile = "1x1", .isa = Isa::kScalar, .math = MathMode::kExact,
    .is_depthwise = true, .refusal = refusal<true>, .cycles = cycles, .packed_bytes = packed_bytes, .pack = pack,
    .scratch_bytes = scratch_bytes, .run = run<true>};

}  // namespace etalon::kernels
