// Every shape, one output at a time: what is left when nothing faster takes a convolution.
#include "kernels/qs8_conv2d/qs8_conv2d.h"

namespace etalon::kernels {
namespace {

std::int8_t finish(std::uint32_t sum, float scale, const Qs8Conv2dParams& p) {
  const float scaled = static_cast<float>(static_cast<std::int32_t>(sum)) * scale;
  const auto low = static_cast<float>(p.min - p.output_zero_point), high = static_cast<float>(p.max - p.output_zero_point);
  const float clamped = !(scaled > low) ? low : scaled < high ? scaled : high;
  const auto stored = static_cast<std::int8_t>(__builtin_lrintf(clamped) + p.output_zero_point);
  return p.table == nullptr ? stored : static_cast<std::int8_t>(p.table[static_cast<std::uint8_t>(stored)]);
}

// Bias, scales, then the filter as it came.
struct Packed {
  const std::int32_t* bias;
  const float* scales;
  const std::int8_t* filter;
};
Packed packed_of(const Conv2dShape& s, const void* packed) {
  const auto* bias = static_cast<const std::int32_t*>(packed);
  const auto* scales = reinterpret_cast<const float*>(bias + s.out_c);
  return {bias, scales, reinterpret_cast<const std::int8_t*>(scales + s.out_c)};
}

template <bool kDepthwise>
std::uint32_t sum_of(const Conv2dShape& s, const std::int8_t* image, const Packed& packed, std::int32_t zero,
                     std::int64_t y, std::int64_t x, std::int64_t o) {
  const std::int64_t in_per_group = s.in_c / s.groups, first = o / (s.out_c / s.groups) * in_per_group;
  auto sum = static_cast<std::uint32_t>(packed.bias[o]);
  for (std::int64_t ky = 0; ky < s.kernel_h; ++ky) {
    const std::int64_t in_y = y * s.stride_h - s.pad_top + ky * s.dilation_h;
    if (in_y < 0 || in_y >= s.in_h) continue;
    for (std::int64_t kx = 0; kx < s.kernel_w; ++kx) {
      const std::int64_t in_x = x * s.stride_w - s.pad_left + kx * s.dilation_w;
      if (in_x < 0 || in_x >= s.in_w) continue;
      const std::int64_t tap = ky * s.kernel_w + kx;
      const std::int8_t* w = kDepthwise ? packed.filter + tap * s.out_c + o
                                        : packed.filter + (o * s.kernel_h * s.kernel_w + tap) * in_per_group;
      const std::int8_t* in = image + (in_y * s.in_w + in_x) * s.in_pixel_stride + first;
      for (std::int64_t c = 0; c < in_per_group; ++c) sum += static_cast<std::uint32_t>((in[c] - zero) * w[c]);
    }
  }
  return sum;
}

template <bool kDepthwise>
void run(const Conv2dShape& s, const Qs8Conv2dParams& p, const Machine&, const Qs8Conv2dCall& call, unsigned worker,
         unsigned workers) {
  const Packed packed = packed_of(s, call.packed);
  const std::int64_t pixels = s.out_h * s.out_w, all = s.batch * pixels;
  const std::int64_t begin = all * worker / workers, end = all * (worker + 1) / workers;
  for (std::int64_t i = begin; i < end; ++i) {
    const std::int8_t* image = call.input + i / pixels * s.in_h * s.in_w * s.in_pixel_stride;
    const std::int64_t y = i % pixels / s.out_w, x = i % s.out_w;
    for (std::int64_t o = 0; o < s.out_c; ++o) {
      const std::uint32_t sum = sum_of<kDepthwise>(s, image, packed, p.input_zero_point, y, x, o);
      call.output[i * s.out_pixel_stride + o] = finish(sum, packed.scales[o], p);
    }
  }
}

template <bool kDepthwise>
const char* refusal(const Conv2dShape& s, const Qs8Conv2dParams&) {
  if (kDepthwise == (s.groups == s.in_c && s.groups > 1)) return nullptr;
  return kDepthwise ? "wants a depthwise convolution" : "wants one that is not depthwise";
}

double cycles(const Conv2dShape& s, const Machine&) {
  const auto outputs = static_cast<double>(s.batch * s.out_h * s.out_w * s.out_c);
  return outputs * (20 + 3.0 * static_cast<double>(s.kernel_h * s.kernel_w * (s.in_c / s.groups)));
}

std::size_t filter_size(const Conv2dShape& s) {
  return static_cast<std::size_t>(s.out_c * s.kernel_h * s.kernel_w * (s.in_c / s.groups));
}

std::size_t packed_bytes(const Conv2dShape& s) { return static_cast<std::size_t>(s.out_c) * 8 + filter_size(s); }

void pack(const Conv2dShape& s, const Qs8Conv2dParams&, const Qs8Conv2dWeights& weights, void* packed) {
  auto* bias = static_cast<std::int32_t*>(packed);
  auto* scales = reinterpret_cast<float*>(bias + s.out_c);
  for (std::int64_t o = 0; o < s.out_c; ++o) {
    bias[o] = weights.bias == nullptr ? 0 : weights.bias[o];
    scales[o] = weights.scales[weights.scale_is_per_channel ? o : 0];
  }
  __builtin_memcpy(scales + s.out_c, weights.filter, filter_size(s));
}

std::size_t scratch_bytes(const Conv2dShape&, const Machine&) { return 0; }

}  // namespace

extern constinit const Qs8Conv2dAlgorithm kQs8PlainScalar{
    .name = "qs8_qc8w_conv2d_minmax_fp32_ukernel_1x1__scalar", .tile = "1x1", .isa = Isa::kScalar,
    .is_depthwise = false, .refusal = refusal<false>, .cycles = cycles, .packed_bytes = packed_bytes, .pack = pack,
    .scratch_bytes = scratch_bytes, .run = run<false>};

extern constinit const Qs8Conv2dAlgorithm kQs8PlainDepthwiseScalar{
    .name = "qs8_qc8w_dwconv_minmax_fp32_ukernel_1c__scalar", .tile = "1x1", .isa = Isa::kScalar,
    .is_depthwise = true, .refusal = refusal<true>, .cycles = cycles, .packed_bytes = packed_bytes, .pack = pack,
    .scratch_bytes = scratch_bytes, .run = run<true>};

}  // namespace etalon::kernels
