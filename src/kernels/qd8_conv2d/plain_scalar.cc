// Every shape, one output at a time: what is left when nothing faster takes a convolution.
#include "kernels/qd8_conv2d/qd8_conv2d.h"
#include "kernels/qd8_conv2d/rows_impl.h"

namespace etalon::kernels {
namespace {

// Scales, bias, then the filter as it came.
struct Packed {
  const float* scales;
  const float* bias;
  const std::int8_t* filter;
};
Packed packed_of(const Conv2dShape& s, const void* packed) {
  const auto* scales = static_cast<const float*>(packed);
  return {scales, scales + s.out_c, reinterpret_cast<const std::int8_t*>(scales + 2 * s.out_c)};
}

struct Position {
  std::int64_t image, y, x, channel;
};

template <bool kDepthwise>
std::uint32_t sum_of(const Conv2dShape& s, const std::int8_t* input, const std::int8_t* filter, std::int32_t zero,
                     const Position& at) {
  const std::int64_t in_per_group = s.in_c / s.groups, first = at.channel / (s.out_c / s.groups) * in_per_group;
  std::uint32_t sum = 0;
  for (std::int64_t ky = 0; ky < s.kernel_h; ++ky) {
    const std::int64_t in_y = at.y * s.stride_h - s.pad_top + ky * s.dilation_h;
    if (in_y < 0 || in_y >= s.in_h) continue;
    for (std::int64_t kx = 0; kx < s.kernel_w; ++kx) {
      const std::int64_t in_x = at.x * s.stride_w - s.pad_left + kx * s.dilation_w;
      if (in_x < 0 || in_x >= s.in_w) continue;
      const std::int64_t tap = ky * s.kernel_w + kx;
      const std::int8_t* w = kDepthwise ? filter + tap * s.out_c + at.channel
                                        : filter + (at.channel * s.kernel_h * s.kernel_w + tap) * in_per_group;
      const std::int8_t* in = input + ((at.image * s.in_h + in_y) * s.in_w + in_x) * s.in_pixel_stride + first;
      for (std::int64_t c = 0; c < in_per_group; ++c) sum += static_cast<std::uint32_t>((in[c] - zero) * w[c]);
    }
  }
  return sum;
}

template <bool kDepthwise>
void run(const Conv2dShape& s, const Qd8Conv2dParams& p, const Machine&, const Qd8Conv2dCall& call, unsigned worker,
         unsigned workers) {
  const Packed packed = packed_of(s, call.packed);
  const std::int64_t pixels = s.out_h * s.out_w, all = s.batch * pixels;
  for (std::int64_t i = all * worker / workers, end = all * (worker + 1) / workers; i < end; ++i) {
    Position at{i / pixels, i % pixels / s.out_w, i % s.out_w, 0};
    const Qd8Row row = call.rows[row_of(s, p, at.image, at.y, at.x)];
    for (; at.channel < s.out_c; ++at.channel) {
      const auto sum = static_cast<std::int32_t>(sum_of<kDepthwise>(s, call.input, packed.filter, row.zero_point, at));
      const float real = static_cast<float>(sum) * (row.scale * packed.scales[at.channel]) + packed.bias[at.channel];
      const float above = real > p.min ? real : p.min;
      call.output[i * s.out_pixel_stride + at.channel] = above < p.max ? above : p.max;
    }
  }
}

template <bool kDepthwise>
const char* refusal(const Conv2dShape& s, const Qd8Conv2dParams& p) {
  if (kDepthwise == s.is_depthwise()) return refusal_of_rows(s, p);
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

void pack(const Conv2dShape& s, const Qd8Conv2dWeights& weights, void* packed) {
  auto* scales = static_cast<float*>(packed);
  for (std::int64_t o = 0; o < s.out_c; ++o) {
    scales[o] = weights.scales[weights.scale_is_per_channel ? o : 0];
    scales[s.out_c + o] = weights.bias == nullptr ? 0 : weights.bias[o];
  }
  __builtin_memcpy(scales + 2 * s.out_c, weights.filter, filter_size(s));
}

std::size_t scratch_bytes(const Conv2dShape&, const Machine&) { return 0; }

}  // namespace

extern constinit const Qd8Conv2dAlgorithm kQd8PlainScalar{
    .name = "qd8_f32_qc8w_conv2d_minmax_ukernel_1x1__scalar", .tile = "1x1", .isa = Isa::kScalar,
    .is_depthwise = false, .refusal = refusal<false>, .cycles = cycles, .packed_bytes = packed_bytes, .pack = pack,
    .scratch_bytes = scratch_bytes, .run = run<false>};

extern constinit const Qd8Conv2dAlgorithm kQd8PlainDepthwiseScalar{
    .name = "qd8_f32_qc8w_dwconv_minmax_ukernel_1c__scalar", .tile = "1x1", .isa = Isa::kScalar,
    .is_depthwise = true, .refusal = refusal<true>, .cycles = cycles, .packed_bytes = packed_bytes, .pack = pack,
    .scratch_bytes = scratch_bytes, .run = run<true>};

}  // namespace etalon::kernels
