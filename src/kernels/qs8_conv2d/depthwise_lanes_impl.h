// Depthwise convolution of any window, a block of channels at a time. A product of two bytes, one of them less a zero
// point, fits into 16 bits: at most 255 * 128. `Sums` adds up the taps of a block.
//
// Weights are packed in blocks of kLanes channels: bias int32 | scale float | weights int16 [taps], all [kLanes].
#pragma once

#include "kernels/qs8_conv2d/qs8_conv2d.h"

namespace etalon::kernels {
namespace {

constexpr std::int64_t kLanes = 32;
constexpr double kLaneCyclesPerProduct = 0.25;

struct LaneBlock {
  const std::int32_t* bias;
  const float* scales;
  const std::int16_t* weights;
};
inline std::int64_t lane_block_bytes(const Conv2dShape& s) { return kLanes * (8 + 2 * s.kernel_h * s.kernel_w); }
inline std::int64_t lane_blocks(const Conv2dShape& s) { return (s.out_c + kLanes - 1) / kLanes; }
inline LaneBlock lane_block(const Conv2dShape& s, const void* packed, std::int64_t i) {
  const auto* block = static_cast<const std::byte*>(packed) + i * lane_block_bytes(s);
  return {reinterpret_cast<const std::int32_t*>(block), reinterpret_cast<const float*>(block + kLanes * 4),
          reinterpret_cast<const std::int16_t*>(block + kLanes * 8)};
}

inline const char* lanes_refusal(const Conv2dShape& s, const Qs8Conv2dParams&) {
  if (s.groups != s.in_c || s.groups == 1) return "wants a depthwise convolution";
  return s.out_c == s.in_c ? nullptr : "wants one output channel per input channel";
}
inline std::size_t lanes_packed_bytes(const Conv2dShape& s) {
  return static_cast<std::size_t>(lane_blocks(s) * lane_block_bytes(s));
}
inline double lanes_cycles(const Conv2dShape& s, const Machine&) {
  const auto outputs = static_cast<double>(s.batch * s.out_h * s.out_w * lane_blocks(s) * kLanes);
  return outputs * (1 + kLaneCyclesPerProduct * static_cast<double>(s.kernel_h * s.kernel_w));
}
inline std::size_t lanes_scratch_bytes(const Conv2dShape&, const Machine&) { return 0; }

inline void lanes_pack(const Conv2dShape& s, const Qs8Conv2dParams&, const Qs8Conv2dWeights& w, void* packed) {
  __builtin_memset(packed, 0, lanes_packed_bytes(s));
  for (std::int64_t c = 0; c < s.out_c; ++c) {
    auto* block = static_cast<std::byte*>(packed) + c / kLanes * lane_block_bytes(s);
    const std::int64_t lane = c % kLanes;
    reinterpret_cast<std::int32_t*>(block)[lane] = w.bias == nullptr ? 0 : w.bias[c];
    reinterpret_cast<float*>(block + kLanes * 4)[lane] = w.scales[w.scale_is_per_channel ? c : 0];
    auto* weights = reinterpret_cast<std::int16_t*>(block + kLanes * 8);
    for (std::int64_t t = 0; t < s.kernel_h * s.kernel_w; ++t) weights[t * kLanes + lane] = w.filter[t * s.out_c + c];
  }
}

// Taps of one output pixel that lie inside the image, as many as are added at once.
struct LaneTaps {
  static constexpr int kMost = 16;
  const std::int8_t* input[kMost];
  const std::int16_t* weights[kMost];
  int count = 0;
};

// A loop over channels that compilers turn into vectors, but only as a function of its own: inlined, it is unrolled first.
[[gnu::noinline]] inline void add_lanes(std::int32_t* __restrict sums, const std::int8_t* __restrict x,
                                        const std::int16_t* __restrict w, std::int16_t zero) {
  for (std::int64_t c = 0; c < kLanes; ++c) {
    const auto value = static_cast<std::int16_t>(x[c] - zero);
    sums[c] = static_cast<std::int32_t>(static_cast<std::uint32_t>(sums[c]) +
                                        static_cast<std::uint32_t>(static_cast<std::int16_t>(value * w[c])));
  }
}
struct PlainSums {
  static void add(std::int32_t (&sums)[kLanes], const LaneTaps& taps, std::int16_t zero) {
    for (int t = 0; t < taps.count; ++t) add_lanes(sums, taps.input[t], taps.weights[t], zero);
  }
};

// The last block may be narrower than its registers; what lies behind it is not ours to read.
template <class Sums>
void add_some(std::int32_t (&sums)[kLanes], LaneTaps& taps, std::int16_t zero, std::int64_t lanes) {
  std::int8_t copies[LaneTaps::kMost][kLanes] = {};
  for (int t = 0; t < taps.count && lanes < kLanes; ++t) {
    __builtin_memcpy(copies[t], taps.input[t], static_cast<std::size_t>(lanes));
    taps.input[t] = copies[t];
  }
  Sums::add(sums, taps, zero);
}

template <class Sums>
void add_taps(std::int32_t (&sums)[kLanes], LaneTaps& taps, std::int16_t zero, std::int64_t lanes) {
  if (lanes == kLanes) Sums::add(sums, taps, zero);
  else add_some<Sums>(sums, taps, zero, lanes);
  taps.count = 0;
}

inline void finish_lanes(const std::int32_t (&sums)[kLanes], const LaneBlock& block, const Qs8Conv2dParams& p,
                         std::int8_t* out, std::int64_t lanes) {
  const auto low = static_cast<float>(p.min - p.output_zero_point), high = static_cast<float>(p.max - p.output_zero_point);
  std::int8_t stored[kLanes];
  for (std::int64_t c = 0; c < kLanes; ++c) {
    const float scaled = static_cast<float>(sums[c]) * block.scales[c];
    const float above = scaled > low ? scaled : low, clamped = above < high ? above : high;
    // Between -255 and 255, where adding this leaves the rounded integer in the low bits.
    const float rounded = clamped + 0x1.8p23f;
    std::int32_t bits = 0;
    __builtin_memcpy(&bits, &rounded, 4);
    stored[c] = static_cast<std::int8_t>((bits & 0xffff) + p.output_zero_point);
  }
  if (p.table != nullptr) {
    for (std::int64_t c = 0; c < kLanes; ++c) stored[c] = static_cast<std::int8_t>(p.table[static_cast<std::uint8_t>(stored[c])]);
  }
  if (lanes == kLanes) __builtin_memcpy(out, stored, kLanes);
  else __builtin_memcpy(out, stored, static_cast<std::size_t>(lanes));
}

template <class Sums>
void sum_lanes(std::int32_t (&sums)[kLanes], const Conv2dShape& s, const std::int8_t* image, const LaneBlock& block,
               std::int16_t zero, std::int64_t y, std::int64_t x, std::int64_t lanes) {
  LaneTaps taps;
  for (std::int64_t ky = 0; ky < s.kernel_h; ++ky) {
    const std::int64_t in_y = y * s.stride_h - s.pad_top + ky * s.dilation_h;
    if (in_y < 0 || in_y >= s.in_h) continue;
    for (std::int64_t kx = 0; kx < s.kernel_w; ++kx) {
      const std::int64_t in_x = x * s.stride_w - s.pad_left + kx * s.dilation_w;
      if (in_x < 0 || in_x >= s.in_w) continue;
      taps.input[taps.count] = image + (in_y * s.in_w + in_x) * s.in_pixel_stride;
      taps.weights[taps.count] = block.weights + (ky * s.kernel_w + kx) * kLanes;
      if (++taps.count == LaneTaps::kMost) add_taps<Sums>(sums, taps, zero, lanes);
    }
  }
  add_taps<Sums>(sums, taps, zero, lanes);
}

template <class Sums>
void lanes_run(const Conv2dShape& s, const Qs8Conv2dParams& p, const Machine&, const Qs8Conv2dCall& call,
               unsigned worker, unsigned workers) {
  const std::int64_t pixels = s.out_h * s.out_w, all = s.batch * pixels;
  const std::int64_t begin = all * worker / workers, end = all * (worker + 1) / workers;
  for (std::int64_t i = begin; i < end; ++i) {
    const std::int8_t* image = call.input + i / pixels * s.in_h * s.in_w * s.in_pixel_stride;
    for (std::int64_t b = 0; b < lane_blocks(s); ++b) {
      const LaneBlock block = lane_block(s, call.packed, b);
      const std::int64_t first = b * kLanes, lanes = s.out_c - first < kLanes ? s.out_c - first : kLanes;
      std::int32_t sums[kLanes];
      for (std::int64_t c = 0; c < kLanes; ++c) sums[c] = block.bias[c];
      sum_lanes<Sums>(sums, s, image + first, block, static_cast<std::int16_t>(p.input_zero_point), i % pixels / s.out_w,
                i % s.out_w, lanes);
      finish_lanes(sums, block, p, call.output + i * s.out_pixel_stride + first, lanes);
    }
  }
}

template <class Sums>
constexpr Qs8Conv2dAlgorithm depthwise_lanes(Isa isa, std::string_view name) {
  return {.name = name, .tile = "1x32", .isa = isa, .is_depthwise = true, .refusal = lanes_refusal,
          .cycles = lanes_cycles, .packed_bytes = lanes_packed_bytes, .pack = lanes_pack,
          .scratch_bytes = lanes_scratch_bytes, .run = lanes_run<Sums>};
}

}  // namespace
}  // namespace etalon::kernels
