// Depthwise convolution, one register of channels at a time: the window's weights stay in registers while a strip of a
// few output rows is swept from left to right in tiles, and every input element that a tile needs is loaded once.
// Taps outside the image are left out. Include a kernels/simd header and kernels/vector/math_impl.h first.
//
// Packed: for each register of channels the bias and then the taps in row order, each kLanes floats.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "kernels/conv2d/conv2d.h"
#include "kernels/conv2d/finish_pass_impl.h"

namespace etalon::kernels {
namespace {

constexpr auto kLanes = static_cast<std::int64_t>(Vec::kLanes);

// A strip: `rows` output rows and one register of channels, from column `begin` to `end`.
struct DepthwiseStrip {
  const float* image;         // pixel (0, 0), first channel of the register
  std::int64_t pixel, row;    // steps in floats of the input
  std::int64_t in_h, in_w;
  std::int64_t top, left;     // input position of the window of row 0, column 0 of the output; may be negative
  std::int64_t begin, end;
  std::int64_t rows;
  std::size_t channels;       // lanes that count
  const float* weights;       // bias and taps
  float* output;              // row 0, column `begin`
  std::int64_t out_pixel, out_row;
  float min, max;
  bool hardswish;
};

// How a window is tiled. kKeep: all weights fit into registers beside the sums.
template <int kKernelSize, int kStrideSize, int kTileRows, int kTileColumns>
struct DepthwiseWindow {
  static constexpr int kKernel = kKernelSize, kStride = kStrideSize, kRows = kTileRows, kColumns = kTileColumns;
  static constexpr int kInRows = (kRows - 1) * kStride + kKernel, kInColumns = (kColumns - 1) * kStride + kKernel;
  static constexpr bool kKeep = kKernel * kKernel + kRows * kColumns + 2 <= Vec::kRegisters;
};

template <bool kFull>
ETALON_INLINE Vec load_lanes(const float* p, std::size_t n) {
  if constexpr (kFull) return Vec::load(p);
  return Vec::load(p, n);
}

// Adds what one input column of one input row contributes to the tile's sums.
template <class W>
ETALON_INLINE void add_column(Vec (&sums)[W::kRows][W::kColumns], const Vec* kept, const float* weights, Vec value,
                              int in_row, int in_column) {
#pragma GCC unroll 4
  for (int h = 0; h < W::kRows; ++h) {
    const int ky = in_row - h * W::kStride;
    if (ky < 0 || ky >= W::kKernel) continue;
#pragma GCC unroll 8
    for (int j = 0; j < W::kColumns; ++j) {
      const int kx = in_column - j * W::kStride;
      if (kx < 0 || kx >= W::kKernel) continue;
      const int tap = ky * W::kKernel + kx;
      const Vec w = W::kKeep ? kept[tap] : Vec::load(weights + (tap + 1) * kLanes);
      sums[h][j] = fma(value, w, sums[h][j]);
    }
  }
}

// kInside: the tile's windows lie between the left and right edges of the image and all its columns are wanted.
template <class W, bool kInside, bool kFull>
ETALON_INLINE void depthwise_tile(const DepthwiseStrip& s, const Vec* kept, std::int64_t x, int first_row,
                                  int last_row) {
  Vec sums[W::kRows][W::kColumns];
  const Vec bias = Vec::load(s.weights);
#pragma GCC unroll 4
  for (int h = 0; h < W::kRows; ++h) {
#pragma GCC unroll 8
    for (int j = 0; j < W::kColumns; ++j) sums[h][j] = bias;
  }
  const std::int64_t column = x * W::kStride + s.left;
#pragma GCC unroll 16
  for (int r = 0; r < W::kInRows; ++r) {
    if (r < first_row || r >= last_row) continue;
    const std::int64_t start = (s.top + r) * s.row + column * s.pixel;
#pragma GCC unroll 16
    for (int i = 0; i < W::kInColumns; ++i) {
      if (!kInside && static_cast<std::uint64_t>(column + i) >= static_cast<std::uint64_t>(s.in_w)) continue;
      const Vec value = load_lanes<kFull>(s.image + (start + i * s.pixel), s.channels);
      add_column<W>(sums, kept, s.weights, value, r, i);
    }
  }
  if (s.hardswish) {
#pragma GCC unroll 4
    for (int h = 0; h < W::kRows; ++h) {
#pragma GCC unroll 8
      for (int j = 0; j < W::kColumns; ++j) sums[h][j] = hardswish(sums[h][j]);
    }
  }
  const Vec low = Vec::of(s.min), high = Vec::of(s.max);
  const std::int64_t columns = kInside ? W::kColumns : s.end - x;
  float* out = s.output + (x - s.begin) * s.out_pixel;
#pragma GCC unroll 4
  for (int h = 0; h < W::kRows; ++h) {
    if (h >= s.rows) break;
#pragma GCC unroll 8
    for (int j = 0; j < W::kColumns; ++j) {
      if (!kInside && j >= columns) break;
      const Vec y = clamp(sums[h][j], low, high);
      float* p = out + h * s.out_row + j * s.out_pixel;
      if constexpr (kFull) {
        y.store(p);
      } else {
        y.store(p, s.channels);
      }
    }
  }
}

template <class W, bool kFull>
__attribute__((noinline)) void sweep_strip(const DepthwiseStrip& strip) {
  const DepthwiseStrip s = strip;
  Vec kept[W::kKernel * W::kKernel];
  if constexpr (W::kKeep) {
#pragma GCC unroll 64
    for (int tap = 0; tap < W::kKernel * W::kKernel; ++tap) kept[tap] = Vec::load(s.weights + (tap + 1) * kLanes);
  }
  const auto first_row = static_cast<int>(std::clamp<std::int64_t>(-s.top, 0, W::kInRows));
  const auto last_row = static_cast<int>(std::clamp<std::int64_t>(s.in_h - s.top, 0, W::kInRows));
  std::int64_t x = s.begin;
  for (; x < s.end; x += W::kColumns) {
    const std::int64_t column = x * W::kStride + s.left;
    if (column >= 0 && column + W::kInColumns <= s.in_w && x + W::kColumns <= s.end) {
      depthwise_tile<W, true, kFull>(s, kept, x, first_row, last_row);
    } else {
      depthwise_tile<W, false, kFull>(s, kept, x, first_row, last_row);
    }
  }
}

// Any window. One row of output at a time, four columns together.
constexpr int kAnyColumns = 4;
struct AnyWindow {
  std::int64_t kernel_h, kernel_w, stride_w, dilation_h, dilation_w;
};

__attribute__((noinline, unused)) void sweep_any(const AnyWindow& w, const DepthwiseStrip& s) {
  const Vec low = Vec::of(s.min), high = Vec::of(s.max);
  for (std::int64_t x = s.begin; x < s.end; x += kAnyColumns) {
    const std::int64_t columns = std::min<std::int64_t>(kAnyColumns, s.end - x);
    Vec sums[kAnyColumns];
#pragma GCC unroll 4
    for (Vec& sum : sums) sum = Vec::load(s.weights);
    for (std::int64_t ky = 0; ky < w.kernel_h; ++ky) {
      const std::int64_t in_y = s.top + ky * w.dilation_h;
      if (in_y < 0 || in_y >= s.in_h) continue;
      const float* taps = s.weights + (1 + ky * w.kernel_w) * kLanes;
      for (std::int64_t kx = 0; kx < w.kernel_w; ++kx) {
        const Vec weight = Vec::load(taps + kx * kLanes);
        const std::int64_t in_x = x * w.stride_w + s.left + kx * w.dilation_w;
#pragma GCC unroll 4
        for (int j = 0; j < kAnyColumns; ++j) {
          const std::int64_t column = in_x + j * w.stride_w;
          if (j >= columns || column < 0 || column >= s.in_w) continue;
          sums[j] = fma(Vec::load(s.image + (in_y * s.row + column * s.pixel), s.channels), weight, sums[j]);
        }
      }
    }
#pragma GCC unroll 4
    for (int j = 0; j < kAnyColumns; ++j) {
      if (j >= columns) break;
      const Vec y = s.hardswish ? hardswish(sums[j]) : sums[j];
      clamp(y, low, high).store(s.output + (x - s.begin + j) * s.out_pixel, s.channels);
    }
  }
}

// What to do for one strip and one register of channels.
struct DepthwiseJob {
  const Conv2dShape* shape;
  const Epilogue* epilogue;
  const Conv2dCall* call;
  std::int64_t rows;  // of a strip
  bool staged;        // sums go to scratch and a pass finishes them
};

// Columns of a strip that are staged together: their sums stay in the first cache.
constexpr std::int64_t kStagedColumns = 64;

ETALON_INLINE bool is_staged(const Epilogue& e) {
  return e.residual != Epilogue::Residual::kNone ||
         (e.activation != Activation::kNone && e.activation != Activation::kHardswish);
}

ETALON_INLINE std::int64_t taps_of(const Conv2dShape& s) { return s.kernel_h * s.kernel_w; }

// The weights times the scale of their input channel, in scratch.
ETALON_INLINE const float* scale_weights(const float* weights, std::int64_t taps, const float* scale, std::size_t n,
                                         float* scratch) {
  const Vec factor = Vec::load(scale, n);
  Vec::load(weights).store(scratch);
  for (std::int64_t tap = 1; tap <= taps; ++tap) (Vec::load(weights + tap * kLanes) * factor).store(scratch + tap * kLanes);
  return scratch;
}

template <class Sweep>
ETALON_INLINE void run_strip(const DepthwiseJob& job, std::int64_t image, std::int64_t y, std::int64_t block,
                             const Sweep& sweep) {
  const Conv2dShape& shape = *job.shape;
  const Conv2dCall& call = *job.call;
  const std::int64_t channel = block * kLanes;
  auto* scratch = reinterpret_cast<float*>(call.scratch);
  DepthwiseStrip s;
  s.channels = static_cast<std::size_t>(std::min(kLanes, shape.out_c - channel));
  s.pixel = shape.in_pixel_stride;
  s.row = s.pixel * shape.in_w;
  s.image = call.input + image * shape.in_h * s.row + channel;
  s.in_h = shape.in_h;
  s.in_w = shape.in_w;
  s.top = y * shape.stride_h - shape.pad_top;
  s.left = -shape.pad_left;
  s.rows = std::min(job.rows, shape.out_h - y);
  s.weights = static_cast<const float*>(call.packed) + block * (taps_of(shape) + 1) * kLanes;
  if (shape.has_input_scale) {
    s.weights = scale_weights(s.weights, taps_of(shape), call.input_scale + image * shape.in_c + channel, s.channels,
                              scratch);
    scratch += (taps_of(shape) + 1) * kLanes;
  }
  const std::int64_t first_pixel = (image * shape.out_h + y) * shape.out_w;
  float* output = call.output + first_pixel * shape.out_pixel_stride + channel;
  if (!job.staged) {
    s.begin = 0;
    s.end = shape.out_w;
    s.output = output;
    s.out_pixel = shape.out_pixel_stride;
    s.out_row = s.out_pixel * shape.out_w;
    s.min = job.epilogue->min;
    s.max = job.epilogue->max;
    s.hardswish = job.epilogue->activation == Activation::kHardswish;
    return sweep(s);
  }
  s.min = -__builtin_inff();
  s.max = __builtin_inff();
  s.hardswish = false;
  s.output = scratch;
  s.out_pixel = kLanes;
  s.out_row = kStagedColumns * kLanes;
  for (s.begin = 0; s.begin < shape.out_w; s.begin = s.end) {
    s.end = std::min(s.begin + kStagedColumns, shape.out_w);
    sweep(s);
    for (std::int64_t row = 0; row < s.rows; ++row) {
      const std::int64_t pixel = row * shape.out_w + s.begin;
      const float* residual =
          call.residual == nullptr
              ? nullptr
              : call.residual + (first_pixel + pixel) * call.residual_pixel_stride + channel;
      finish({scratch + row * s.out_row, kLanes, output + pixel * shape.out_pixel_stride, shape.out_pixel_stride,
              residual, call.residual_pixel_stride, s.end - s.begin, s.channels},
             *job.epilogue);
    }
  }
}

// The strips of all registers of channels of all images, divided evenly.
template <class Sweep>
ETALON_INLINE void run_share(const DepthwiseJob& job, unsigned worker, unsigned workers, const Sweep& sweep) {
  const Conv2dShape& s = *job.shape;
  const std::int64_t blocks = (s.out_c + kLanes - 1) / kLanes, strips = (s.out_h + job.rows - 1) / job.rows;
  const std::int64_t all = s.batch * strips * blocks;
  const std::int64_t end = all * (worker + 1) / workers;
  for (std::int64_t i = all * worker / workers; i < end; ++i) {
    const std::int64_t strip = i / blocks;
    run_strip(job, strip / strips, strip % strips * job.rows, i % blocks, sweep);
  }
}

template <class W>
void run_window(const Conv2dShape& s, const Epilogue& e, const Machine&, const Conv2dCall& call, unsigned worker,
                unsigned workers) {
  run_share({&s, &e, &call, W::kRows, is_staged(e)}, worker, workers, [](const DepthwiseStrip& strip) {
    strip.channels == Vec::kLanes ? sweep_strip<W, true>(strip) : sweep_strip<W, false>(strip);
  });
}

[[maybe_unused]] void run_any(const Conv2dShape& s, const Epilogue& e, const Machine&, const Conv2dCall& call,
                              unsigned worker, unsigned workers) {
  const AnyWindow window{s.kernel_h, s.kernel_w, s.stride_w, s.dilation_h, s.dilation_w};
  run_share({&s, &e, &call, 1, is_staged(e)}, worker, workers,
            [&](const DepthwiseStrip& strip) { sweep_any(window, strip); });
}

const char* depthwise_refusal(const Conv2dShape& s, const Epilogue&) {
  if (!s.is_depthwise()) return "wants a depthwise convolution";
  if (s.out_c != s.in_c) return "wants one output channel per input channel";
  return s.input_is_nchw ? "wants channels innermost" : nullptr;
}

template <class W>
const char* window_refusal(const Conv2dShape& s, const Epilogue& e) {
  if (const char* reason = depthwise_refusal(s, e)) return reason;
  if (s.kernel_h != W::kKernel || s.kernel_w != W::kKernel || s.stride_h != W::kStride || s.stride_w != W::kStride) {
    return "wants another window or stride";
  }
  return s.dilation_h == 1 && s.dilation_w == 1 ? nullptr : "wants no dilation";
}

// A tap costs half a cycle in the tiles, where it is not spoiled by loads.
double depthwise_cycles(const Conv2dShape& s, double per_tap) {
  const auto registers = static_cast<double>((s.out_c + kLanes - 1) / kLanes);
  const auto pixels = static_cast<double>(s.batch * s.out_h * s.out_w);
  return pixels * registers * (2 + per_tap * static_cast<double>(taps_of(s)));
}
template <class W>
double window_cycles(const Conv2dShape& s, const Machine&) {
  return depthwise_cycles(s, 0.6);
}
double any_cycles(const Conv2dShape& s, const Machine&) { return depthwise_cycles(s, 3.5); }

std::size_t depthwise_packed_bytes(const Conv2dShape& s) {
  return static_cast<std::size_t>((s.out_c + kLanes - 1) / kLanes * (taps_of(s) + 1) * kLanes) * sizeof(float);
}

void depthwise_pack(const Conv2dShape& s, const float* filter, const float* bias, void* packed) {
  auto* out = static_cast<float*>(packed);
  for (std::int64_t channel = 0; channel < s.out_c; channel += kLanes) {
    for (std::int64_t tap = -1; tap < taps_of(s); ++tap) {
      const float* in = tap < 0 ? bias : filter + tap * s.out_c;
      for (std::int64_t lane = 0; lane < kLanes; ++lane) {
        *out++ = in != nullptr && channel + lane < s.out_c ? in[channel + lane] : 0.0f;
      }
    }
  }
}

// Room for scaled weights and for the staged sums of up to four rows.
std::size_t depthwise_scratch_bytes(const Conv2dShape& s, const Machine&) {
  return static_cast<std::size_t>((taps_of(s) + 1 + 4 * kStagedColumns) * kLanes) * sizeof(float);
}

template <class W>
constexpr Conv2dAlgorithm depthwise_window(std::string_view name, std::string_view tile) {
  static_assert(W::kRows <= 4);
  return {.name = name, .tile = tile, .isa = Isa::ETALON_ISA, .math = MathMode::kExact, .is_depthwise = true,
          .refusal = window_refusal<W>, .cycles = window_cycles<W>, .packed_bytes = depthwise_packed_bytes,
          .pack = depthwise_pack, .scratch_bytes = depthwise_scratch_bytes, .run = run_window<W>};
}

constexpr Conv2dAlgorithm depthwise_any(std::string_view name) {
  return {.name = name, .tile = "1x4", .isa = Isa::ETALON_ISA, .math = MathMode::kExact, .is_depthwise = true,
          .refusal = depthwise_refusal, .cycles = any_cycles, .packed_bytes = depthwise_packed_bytes,
          .pack = depthwise_pack, .scratch_bytes = depthwise_scratch_bytes, .run = run_any};
}

}  // namespace
}  // namespace etalon::kernels
